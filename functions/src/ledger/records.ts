import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

const Whole = z.int().nonnegative();

/** `accounts/{owner}:{currency}`: what an owner has of a currency. Written by the ledger alone; its owner may read it. */
export const Account = z.object({
  owner: z.string(),
  currency: z.string(),
  available: Whole,
  held: Whole,
  owed: Whole,
  /** How many transactions have touched the account, and the id of the last of them. */
  seq: Whole,
  head: z.string(),
  updatedAt: Moment,
});
export type Account = z.infer<typeof Account>;

export const accounts = () => collection("accounts", Account);

/** An amount that leaves one account and enters another, so that every transaction balances by construction. */
export const Posting = z.object({
  from: z.string(),
  to: z.string(),
  amount: z.int().positive(),
  currency: z.string(),
});
export type Posting = z.infer<typeof Posting>;

export const KINDS = ["grant", "purchase", "spend", "transfer", "refund", "adjustment"] as const;

/** `transactions/{id}`: what happened, never changed. Its creation is the domain event. */
export const TransactionRecord = z.object({
  kind: z.enum(KINDS),
  postings: z.array(Posting),
  /** What it was about, as `purchase:…`. */
  reference: z.string(),
  metadata: z.record(z.string(), z.json()),
  /** Tells a repeated request from a different one under the same key. */
  fingerprint: z.string(),
  /** The accounts of users that it touches, for their histories. */
  accounts: z.array(z.string()),
  /** By account: its place in the account's chain of transactions. */
  links: z.record(z.string(), z.object({ seq: Whole, previous: z.string() })),
  at: Moment,
});
export type TransactionRecord = z.infer<typeof TransactionRecord>;

export const transactions = () => collection("transactions", TransactionRecord);

const SYSTEM = "system:";

/** Accounts of the house (`system:mint`, `system:revenue`…): no document, so no hot spot; their balances follow from the transactions. */
export function isSystemAccount(account: string): boolean {
  return account.startsWith(SYSTEM);
}

export function accountId(owner: string, currency: string): string {
  return `${owner}:${currency}`;
}
