import { identityOf, payloadOf } from "../../tokens.ts";
import { StatusError } from "../wire/status.ts";

/** Who asks: a server, for which security rules do not hold, or an app, with the claims of its user if somebody is signed in. */
export type Caller = { readonly kind: "server" } | AppCaller;

export interface AppCaller {
  readonly kind: "app";
  readonly auth: { readonly uid: string; readonly token: Readonly<Record<string, unknown>> } | null;
  /** When the proof of who they are runs out, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** What official clients of an emulator send to say that they are a server; and how the access tokens of Google's accounts begin. */
const SERVER = /^(?:owner$|ya29\.)/i;
const NOBODY: AppCaller = { kind: "app", auth: null, expiresAt: undefined };

/**
 * Reads an Authorization header. As in Google's emulator the tokens are taken at their word: they come from the Auth emulator or from a
 * test, unsigned, and tests say that they have expired long ago. Throws UNAUTHENTICATED for what is no token.
 */
export function callerOf(authorization: string | undefined, now: number = Date.now()): Caller {
  if (authorization === undefined || authorization === "") return NOBODY;
  const token = /^(?:Bearer|Firebase) +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated();
  if (SERVER.test(token)) return { kind: "server" };
  const identity = identityOf(payloadOf(token), now);
  if (identity === undefined) throw unauthenticated();
  return { kind: "app", auth: { uid: identity.uid, token: identity.claims }, expiresAt: identity.expiresAt };
}

function unauthenticated(): StatusError {
  return new StatusError(
    "UNAUTHENTICATED",
    "Invalid authentication credentials: the Authorization header holds no token.",
  );
}
