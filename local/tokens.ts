import * as z from "zod";

/**
 * JSON Web Tokens as the Auth emulator and `@firebase/rules-unit-testing` make them: without a signature, so that everybody who runs the
 * suite can be anybody (https://firebase.google.com/docs/emulator-suite/connect_auth#id_tokens).
 */

/** The token of server SDKs and of the CLI towards emulators: rules do not hold for who sends it. */
export const OWNER = "owner";

const Claims = z.looseObject({
  sub: z.string().min(1).optional(),
  user_id: z.string().min(1).optional(),
  exp: z.number().optional(),
  firebase: z.looseObject({ sign_in_provider: z.string().optional() }).optional(),
});

/** What a token says of its user. */
export interface Identity {
  readonly uid: string;
  /** All claims, custom ones among them. */
  readonly claims: Readonly<z.output<typeof Claims>>;
  /** When it runs out, in milliseconds since the epoch; undefined for one that said so from the start, as those of tests do. */
  readonly expiresAt: number | undefined;
}

/** The payload of a token as JSON says it; undefined for what is no token. */
export function payloadOf(token: string): unknown {
  const [, payload, ...signature] = token.split(".");
  if (payload === undefined || signature.length !== 1) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Reads a payload, taken at its word; undefined unless it names a user. */
export function identityOf(payload: unknown, now: number): Identity | undefined {
  const claims = Claims.safeParse(payload).data;
  const uid = claims?.user_id ?? claims?.sub;
  if (claims === undefined || uid === undefined) return undefined;
  const expiresAt = (claims.exp ?? 0) * 1_000;
  return { uid, claims, expiresAt: expiresAt > now ? expiresAt : undefined };
}

/** A token with these claims. */
export function unsignedToken(claims: Readonly<Record<string, unknown>>): string {
  const [header, payload] = [{ alg: "none", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return `${header}.${payload}.`;
}
