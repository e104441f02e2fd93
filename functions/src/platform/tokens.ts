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

/** Asks `verify` only for tokens that it has not vouched for before, or that have run out since. What it refuses is not remembered. */
export function remembering<Verified extends object>(
  verify: (token: string) => Promise<Verified>,
  claimsOf: (verified: Verified) => Expiring,
): (token: string) => Promise<Verified> {
  const known = new LRUCache<string, Verified>({ max: MAX_REMEMBERED });
  return async (token) => {
    const before = known.get(token);
    if (before && claimsOf(before).exp * 1_000 > now()) return before;
    const verified = await verify(token);
    known.set(token, verified);
    return verified;
  };
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
const word = remembering(
  async (token) => identityOf(token),
  (claims) => claims,
);

/** Who calls. Throws for a token that is not good. */
export async function authOf(authorization: string): Promise<AuthData> {
  const rawToken = /^Bearer (.*)$/i.exec(authorization)?.[1] ?? "";
  const token = await (areTakenAtTheirWord() ? word(rawToken) : idTokenOf(rawToken));
  return { uid: token.uid, token, rawToken };
}

/** Which app calls. Throws for a token that is not good. */
export async function appOf(token: string): Promise<AppCheckData> {
  if (!areTakenAtTheirWord()) return await appToken(token);
  const claims = payloadOf(token);
  return { appId: claims.sub, token: { ...claims, app_id: claims.sub } as AppCheckData["token"] };
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
