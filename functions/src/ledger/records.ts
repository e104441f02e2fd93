import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";
import { Lot, LotKind, type Source } from "./lots.ts";

const Whole = z.int().nonnegative();

/** `accounts/{owner}:{currency}`: what an owner has of a currency. Written by the ledger alone; its owner may read it. */
export const Account = z.object({
  owner: z.string(),
  currency: z.string(),
  available: Whole,
  held: Whole,
  owed: Whole,
  /** Of what the available consists. */
  lots: z.array(Lot),
  /** When the first of the lots expires. */
  nextExpiryAt: Moment.optional(),
  /** Nothing that is available leaves it until an operator says so; see freeze.ts. */
  frozen: z.boolean().optional(),
  /** What only comes in goes past this document, into `incoming`; see hot.ts. */
  hot: z.boolean().optional(),
  /** How many transactions have touched the account. */
  seq: Whole,
  /** The last of them, and its hash in the account's chain. */
  head: z.object({ transaction: z.string(), hash: z.string() }),
  /** The day of it, as 2026-01-31 UTC: which accounts the next signing of heads has to look at. */
  day: z.string(),
  updatedAt: Moment,
});
export type Account = z.infer<typeof Account>;

export const accounts = () => collection("accounts", Account);

/**
 * An amount that leaves one account and enters another, so that every transaction balances by construction. An account is
 * `{owner}:{currency}`, what is held of it `{owner}:{currency}/held`, one of the house `system:{name}`.
 */
export const Posting = z.object({
  from: z.string(),
  to: z.string(),
  amount: z.int().positive(),
  currency: z.string(),
  /** The lots that left `from`; of what was not there, in a clawback, none. */
  lots: z.array(Lot),
  /** As what they entered `to`, if not as they were. */
  as: LotKind.optional(),
  /** What that was of which too little was there, in a clawback: as this it comes back. */
  owed: LotKind.optional(),
});
export type Posting = z.infer<typeof Posting>;

/** The kinds of transactions, in the field's words, and what coins become that the house gives by one. */
export const KINDS = {
  grant: "promotional",
  purchase: "bought",
  spend: "bought",
  transfer: "promotional",
  hold: "bought",
  capture: "earned",
  release: "bought",
  refund: "bought",
  chargeback: "bought",
  prize: "earned",
  exchange: "promotional",
  payout: "earned",
  adjustment: "promotional",
  expiry: "promotional",
  freeze: "promotional",
  unfreeze: "promotional",
  renew: "promotional",
  fold: "promotional",
} as const satisfies Record<string, Source>;
export const Kind = z.enum(Object.keys(KINDS) as (keyof typeof KINDS)[]);
export type Kind = z.infer<typeof Kind>;

/** A transaction's place in the chain of one account, and what the account held after it. */
export const Link = z.object({
  seq: z.int().positive(),
  /** The account's transaction before it; empty for its first. */
  previous: z.string(),
  available: Whole,
  held: Whole,
  owed: Whole,
  /** Under a secret key, over the transaction, the account after it and the hash before; see chain.ts. */
  hash: z.string(),
});
export type Link = z.infer<typeof Link>;

/** `transactions/{id}`: what happened, never changed. Its creation is the domain event. */
export const TransactionRecord = z.object({
  kind: Kind,
  postings: z.array(Posting),
  /** What it was about, as `purchase:…`. */
  reference: z.string(),
  metadata: z.record(z.string(), z.json()),
  /** Tells a repeated request from a different one under the same key. */
  fingerprint: z.string(),
  /** The accounts of users in whose histories it is. */
  accounts: z.array(z.string()),
  /** By account. */
  links: z.record(z.string(), Link),
  /** Of all that can never change in it; see chain.ts. */
  signature: z.string(),
  /** When it was made. */
  at: Moment,
  /** When it counts from, if not from then. */
  effectiveAt: Moment.optional(),
  /** The transaction that it takes back. */
  reverses: z.string().optional(),
  /** The one that takes it back: the only field that is ever added. */
  reversedBy: z.string().optional(),
});
export type TransactionRecord = z.infer<typeof TransactionRecord>;

export const transactions = () => collection("transactions", TransactionRecord);

/** `heads/{accountId}`: where an account's chain stood when heads were last signed; see heads.ts. */
export const Head = z.object({
  seq: z.int().positive(),
  hash: z.string(),
  available: Whole,
  held: Whole,
  owed: Whole,
  lots: z.array(Lot),
  frozen: z.boolean().optional(),
  signature: z.string(),
  signedAt: Moment,
});
export type Head = z.infer<typeof Head>;

export const heads = () => collection("heads", Head);

/**
 * `manifests/{day}`: all heads as they were signed that day, in one signature; `manifests/current` while that is done. A head that is put
 * back, or a day that is missing, is seen by it.
 */
export const Manifest = z.object({
  day: z.string(),
  /** How many heads there are. */
  accounts: Whole,
  /** The sum of their digests, modulo 2^256, in hexadecimal. */
  digest: z.string(),
  /** Accounts that have moved on this day or later have yet to be looked at. */
  since: z.string(),
  /** The last account that was looked at, while it is being made, beginning on `day`. */
  cursor: z.object({ day: z.string(), account: z.string() }).optional(),
  signature: z.string(),
  signedAt: Moment,
});
export type Manifest = z.infer<typeof Manifest>;

export const manifests = () => collection("manifests", Manifest);

/** `holds/{id}`: an amount set aside until it is captured for others or released. Written by the ledger alone; its owner may read it. */
export const Hold = z.object({
  owner: z.string(),
  currency: z.string(),
  amount: z.int().positive(),
  captured: Whole,
  released: Whole,
  /** What is still held. */
  lots: z.array(Lot),
  state: z.enum(["active", "captured", "released", "expired"]),
  /** From then on it may be released by anybody's doing, and a task does. */
  expiresAt: Moment,
  reference: z.string(),
  metadata: z.record(z.string(), z.json()),
  /** By id of their transactions, what was done to it: a repeated request finds itself here. */
  moves: z.record(z.string(), z.object({ fingerprint: z.string(), amount: z.int().positive() })),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Hold = z.infer<typeof Hold>;

export const holds = () => collection("holds", Hold);

/** `incoming/{transaction}_{posting}`: what a hot account was given and has not been folded into it yet. Written by the ledger alone. */
export const Incoming = z.object({
  account: z.string(),
  currency: z.string(),
  amount: z.int().positive(),
  lots: z.array(Lot),
  at: Moment,
  signature: z.string(),
});
export type Incoming = z.infer<typeof Incoming>;

export const incoming = () => collection("incoming", Incoming);

const SYSTEM = "system:";
const INCOMING = "system:incoming:";
/** Where coins go that have expired. */
export const EXPIRED = "system:expired";
const HELD = "/held";

/** Accounts of the house (`system:mint`, `system:revenue`…): no document, so no hot spot; their balances follow from the transactions. */
export function isSystemAccount(account: string): boolean {
  return account.startsWith(SYSTEM);
}

/** The account of the house that holds what a hot account was given until it is folded in. */
export function incomingSide(account: string): string {
  return `${INCOMING}${account}`;
}

/** The hot account that an account of the house holds something for, if it is such a one. */
export function accountOfIncoming(side: string): string | undefined {
  return side.startsWith(INCOMING) ? side.slice(INCOMING.length) : undefined;
}

export function accountId(owner: string, currency: string): string {
  return `${owner}:${currency}`;
}

/** What is held of an owner's money, as one side of a posting. */
export function heldBy(owner: string): string {
  return `${owner}${HELD}`;
}

/** The side of a posting: whose account it is, or of which owner, and whether it is what is held. */
export function sideOf(side: string): { readonly name: string; readonly isHeld: boolean } {
  return side.endsWith(HELD) ? { name: side.slice(0, -HELD.length), isHeld: true } : { name: side, isHeld: false };
}
