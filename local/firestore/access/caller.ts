import * as z from "zod";
import { StatusError } from "../wire/status.ts";

/** Who asks: a server, for which security rules do not hold, or an app, with the claims of its user if somebody is signed in. */
export type Caller = { readonly kind: "server" } | AppCaller;

export interface AppCaller {
  readonly kind: "app";
  readonly auth: { readonly uid: string; readonly token: Readonly<Record<string, unknown>> } | null;
  /** When the proof of who they are runs out, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** What official clients of an emulator send to say that they are a server. */
const OWNER = "owner";
const NOBODY: AppCaller = { kind: "app", auth: null, expiresAt: undefined };

const Claims = z.looseObject({
  sub: z.string().min(1).optional(),
  user_id: z.string().min(1).optional(),
  exp: z.number().optional(),
});

/**
 * Reads an Authorization header. As in Google's emulator the tokens are taken at their word: they come from the Auth emulator or from a
 * test, unsigned, and tests say that they have expired long ago. Throws UNAUTHENTICATED for what is no token.
 */
export function callerOf(authorization: string | undefined, now: number = Date.now()): Caller {
  if (authorization === undefined || authorization === "") return NOBODY;
  const token = /^(?:Bearer|Firebase) +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated();
  if (token === OWNER) return { kind: "server" };
  const claims = claimsOf(token);
  const uid = claims.user_id ?? claims.sub;
  if (uid === undefined) throw unauthenticated();
  const expiresAt = claims.exp === undefined ? 0 : claims.exp * 1_000;
  return { kind: "app", auth: { uid, token: claims }, expiresAt: expiresAt > now ? expiresAt : undefined };
}

function claimsOf(token: string): z.output<typeof Claims> {
  try {
    const [, payload = ""] = token.split(".");
    return Claims.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
  } catch {
    throw unauthenticated();
  }
}

function unauthenticated(): StatusError {
  return new StatusError(
    "UNAUTHENTICATED",
    "Invalid authentication credentials: the Authorization header holds no token.",
  );
}
