import * as z from "zod";
import { now } from "../platform/clock.ts";
import { secrets } from "../platform/config.ts";
import { Failure } from "../platform/failure.ts";
import { DocumentId } from "../platform/ids.ts";
import { signer } from "../platform/keys/signing.ts";

/**
 * Tokens of sessions: `1.{claims}.{name of the key}.{HMAC-SHA-256}`, of letters, digits, `-`, `_` and dots. The claims are a JSON array in
 * base64url; they are for anyone to read and for nobody to change. The signature covers their text, not what it means, so that there
 * is one token for each session and key.
 */
const VERSION = "1";
const TOKEN = /^1\.([\w-]+)\.([\w-]{1,32})\.([\w-]{43})$/;
const MAX_LENGTH = 2_000;

const keys = signer(secrets.gameKeys);

/** What a token says. Times are milliseconds since the epoch. */
export interface Claims {
  readonly user: string;
  readonly board?: string | undefined;
  readonly session: string;
  readonly startedAt: number;
  readonly expiresAt: number;
}

/** Who comes with a token, and for which board. */
export interface Bearer {
  readonly user: string;
  readonly board: string;
}

const Payload = z.tuple([z.string(), z.string().nullable(), DocumentId, z.int(), z.int()]);

/** Signs by the newest key. */
export function signToken({ user, board, session, startedAt, expiresAt }: Claims): string {
  const payload: z.infer<typeof Payload> = [user, board ?? null, session, startedAt, expiresAt];
  const claims = Buffer.from(JSON.stringify(payload)).toString("base64url");
  return [VERSION, claims, ...keys.sign(signedText(claims)).split(":")].join(".");
}

/**
 * What a token says, if it was given out to this user for this board and has not run out; whether its session is still what it was, only
 * `prepareUse` knows. No reads. Refuses `token-invalid`, `token-foreign`, `token-expired`.
 */
export function verifyToken(token: string, bearer: Bearer): Pick<Claims, "session" | "startedAt" | "expiresAt"> {
  const { session, startedAt, expiresAt } = readToken(token, bearer);
  if (expiresAt <= now()) {
    throw new Failure("failed-precondition", "This token has run out.", { reason: "token-expired", field: "session" });
  }
  return { session, startedAt, expiresAt };
}

/** The same for a token that may have run out. */
export function readToken(token: string, { user, board }: Bearer): Claims {
  const claims = claimsOf(token);
  if (claims.user === user && claims.board === board) return claims;
  throw new Failure("permission-denied", "This token is another user's, or for another board.", {
    reason: "token-foreign",
    field: "session",
  });
}

function claimsOf(token: string): Claims {
  const [, text, name, mac] = token.length <= MAX_LENGTH ? (TOKEN.exec(token) ?? []) : [];
  if (text === undefined || !keys.isSigned(signedText(text), `${name}:${mac}`)) {
    throw new Failure("invalid-argument", "This is not a token that was given out.", {
      reason: "token-invalid",
      field: "session",
    });
  }
  const payload = Payload.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  const [user, board, session, startedAt, expiresAt] = payload;
  return { user, board: board ?? undefined, session, startedAt, expiresAt };
}

/** What is signed: nothing else that these keys may sign one day begins like this. */
function signedText(claims: string): string {
  return `game-token.${VERSION}.${claims}`;
}
