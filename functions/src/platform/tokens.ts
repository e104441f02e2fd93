import { getApps, initializeApp } from "firebase-admin/app";
import { getAppCheck } from "firebase-admin/app-check";
import { getAuth } from "firebase-admin/auth";
import type { CallableRequest } from "firebase-functions/v2/https";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { now } from "./clock.ts";

/**
 * The tokens that come with a call. One that has been verified is good until it runs out, so it is verified once in an instance: what an
 * app sends for an hour is the same. (Neither here nor in the SDK does a call ask whether a token was revoked.)
 */
const MAX_REMEMBERED = 2_000;

type AuthData = NonNullable<CallableRequest["auth"]>;
type AppCheckData = NonNullable<CallableRequest["app"]>;

interface Expiring {
  /** Seconds since the epoch. */
  readonly exp: number;
}

/** Verifies tokens, and remembers those that were good. */
export interface Remembering<Verified> {
  (token: string): Promise<Verified>;
  /** What is remembered of a token that has not run out. */
  atHand(token: string): Verified | undefined;
}

/** Asks `verify` only for tokens that it has not vouched for before, or that have run out since. What it refuses is not remembered. */
export function remembering<Verified extends object>(
  verify: (token: string) => Promise<Verified>,
  claimsOf: (verified: Verified) => Expiring,
): Remembering<Verified> {
  const known = new LRUCache<string, Verified>({ max: MAX_REMEMBERED });
  const atHand = (token: string) => {
    const before = known.get(token);
    return before && claimsOf(before).exp * 1_000 > now() ? before : undefined;
  };
  const ask = async (token: string) => {
    const before = atHand(token);
    if (before) return before;
    const verified = await verify(token);
    known.set(token, verified);
    return verified;
  };
  return Object.assign(ask, { atHand });
}

const app = () => getApps()[0] ?? initializeApp();

const idToken = remembering(
  (token) => getAuth(app()).verifyIdToken(token),
  (claims) => claims,
);
const appToken = remembering(
  (token) => getAppCheck(app()).verifyToken(token),
  ({ token }) => token,
);
/** Those of tests say nothing of a time, or of one long ago. */
const FOR_EVER = { exp: Number.POSITIVE_INFINITY };
const word = remembering(
  async (token) => identityOf(token),
  () => FOR_EVER,
);

/** Who calls, if their token is remembered; else {@link authOf} is to be asked. */
export function authAtHand(authorization: string): AuthData | undefined {
  const rawToken = rawTokenOf(authorization);
  const token = areTakenAtTheirWord() ? word.atHand(rawToken) : idTokenAtHand(rawToken);
  return token && { uid: token.uid, token, rawToken };
}

/** Which app calls, if its token is remembered; else {@link appOf} is to be asked. */
export function appAtHand(token: string): AppCheckData | undefined {
  return areTakenAtTheirWord() ? undefined : appToken.atHand(token);
}

function rawTokenOf(authorization: string): string {
  return /^Bearer (.*)$/i.exec(authorization)?.[1] ?? "";
}

/** Who calls. Throws for a token that is not good. */
export async function authOf(authorization: string): Promise<AuthData> {
  const rawToken = rawTokenOf(authorization);
  const token = await (areTakenAtTheirWord() ? word(rawToken) : idTokenOf(rawToken));
  return { uid: token.uid, token, rawToken };
}

/** Which app calls. Throws for a token that is not good. */
export async function appOf(token: string): Promise<AppCheckData> {
  if (!areTakenAtTheirWord()) return await appToken(token);
  const claims = payloadOf(token);
  return { appId: claims.sub, token: { ...claims, app_id: claims.sub } as AppCheckData["token"] };
}

function idTokenAtHand(token: string): AuthData["token"] | undefined {
  return process.env.FIREBASE_AUTH_EMULATOR_HOST === undefined ? idToken.atHand(token) : undefined;
}

/** The Auth emulator is asked each time whether its user is still there. */
function idTokenOf(token: string): Promise<AuthData["token"]> {
  return process.env.FIREBASE_AUTH_EMULATOR_HOST === undefined ? idToken(token) : getAuth(app()).verifyIdToken(token);
}

function identityOf(token: string): AuthData["token"] {
  const claims = payloadOf(token);
  return { ...claims, uid: claims.sub } as AuthData["token"];
}

const Payload = z.looseObject({ sub: z.string() });

function payloadOf(token: string): z.output<typeof Payload> {
  const [, payload = ""] = token.split(".");
  return Payload.parse(JSON.parse(Buffer.from(payload, "base64url").toString()));
}

let asked: { features: string | undefined; skips: boolean } | undefined;

/**
 * The functions emulator tells the functions that it runs not to verify tokens, as it tells the SDK.
 * Source: `skipTokenVerification` in common/debug.ts of firebase-functions
 */
function areTakenAtTheirWord(): boolean {
  if (process.env.FIREBASE_DEBUG_MODE !== "true") return false;
  const features = process.env.FIREBASE_DEBUG_FEATURES;
  if (asked?.features !== features || asked === undefined) {
    asked = { features, skips: Features.safeParse(features).data?.skipTokenVerification ?? false };
  }
  return asked.skips;
}

const Features = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.looseObject({ skipTokenVerification: z.boolean().optional() }));
