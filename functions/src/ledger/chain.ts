import { hash } from "node:crypto";
import { secrets } from "../platform/config.ts";
import { canonical } from "../platform/ids.ts";
import { signer } from "../platform/keys/signing.ts";
import type { Balance } from "./balance.ts";
import { inOrder } from "./lots.ts";
import type { Incoming, TransactionRecord } from "./records.ts";

/**
 * Each account's transactions form a chain: the hash of each covers the transaction, what the account held after it and the hash before,
 * under a key that whoever can write the database need not have. So nobody changes, drops or adds one unseen; see verify.ts.
 */

/** With the keys of the deployment. Nothing is booked where LEDGER_KEYS is malformed. */
const books = signer(secrets.ledgerKeys);

/** A signature of a text: the name of the key, and an HMAC-SHA-256 under it. */
export const { sign } = books;

/** Whether a signature is one of this text by a key that is known. */
export const { isSigned } = books;

/**
 * Bytes that nobody can foretell who does not have the key, as text that names it; the same for the same parts. For what is drawn by lot:
 * whoever has the key can tell later that it was.
 */
export function secretSeed(...parts: readonly string[]): string {
  return sign(canonical(["seed", ...parts]));
}

/** What of a transaction can never change: everything but its places in chains and what took it back. */
export function contentOf(id: string, record: Omit<TransactionRecord, "links" | "signature">): string {
  const { kind, postings, reference, metadata, fingerprint, at, effectiveAt, reverses } = record;
  const content = {
    id,
    kind,
    postings,
    reference,
    metadata,
    fingerprint,
    at: [at.seconds, at.nanoseconds],
    effectiveAt: effectiveAt ? [effectiveAt.seconds, effectiveAt.nanoseconds] : undefined,
    reverses,
  };
  return hash("sha256", canonical(content), "base64url");
}

/** What a hot account is given, signed, for it enters the account by what its own document says. With its id. */
export function signedIncoming(id: string, given: Omit<Incoming, "signature">): [id: string, Incoming] {
  return [id, { ...given, signature: sign(incomingText(id, given)) }];
}

/** Whether the ledger has written it. */
export function isIncomingSigned(id: string, incoming: Incoming): boolean {
  return isSigned(incomingText(id, incoming), incoming.signature);
}

function incomingText(id: string, { account, currency, amount, lots, at }: Omit<Incoming, "signature">): string {
  return canonical(["incoming", id, account, currency, amount, lots, [at.seconds, at.nanoseconds]]);
}

/** What the hash of a link is made of. */
export function linkText(link: {
  readonly account: string;
  readonly seq: number;
  /** The hash before, or nothing. */
  readonly previous: string;
  /** Of {@link contentOf}. */
  readonly content: string;
  readonly after: Balance;
}): string {
  const { account, seq, previous, content, after } = link;
  const { available, held, owed, lots } = after;
  return canonical([account, seq, previous, content, available, held, owed, inOrder(lots)]);
}
