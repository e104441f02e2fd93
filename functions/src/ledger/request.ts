import { Failure, invalidInput } from "../platform/failure.ts";
import { deterministicId, fingerprint } from "../platform/ids.ts";
import { checkAmount } from "./balance.ts";
import { currencyOf } from "./currencies.ts";
import type { Lot, LotKind } from "./lots.ts";
import { accountId, isSystemAccount, type Kind, sideOf, type TransactionRecord } from "./records.ts";

/** What is asked of the ledger, and what can be said of it without looking at an account. */

const MAX_POSTINGS = 100;
/** What takes a transaction back has a posting for each lot that it moved, of which an account has 40 at most. */
const MAX_POSTINGS_BACK = MAX_POSTINGS * 41;
const MAX_TEXT = 500;
const MAX_EXPECTATIONS = 20;

/** An amount to be moved. A side is a user's id, `heldBy(user)`, or an account of the house, `system:…`. */
export interface NewPosting {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
  readonly currency: string;
  /** Which lots leave: of what is held they must be named; of a clawback those that go first; of the house what it gives. */
  readonly lots?: readonly Lot[];
  /** As what they enter, if not as they were. */
  readonly as?: LotKind;
  /** Only what can be paid out in money leaves a user's account. */
  readonly only?: "redeemable";
}

/** A transaction to be made. */
export interface NewTransaction {
  /** The idempotency key: however often it is posted, it happens once. */
  readonly key: string;
  readonly kind: Kind;
  readonly postings: readonly NewPosting[];
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
  /** Takes what is not there as a debt instead of refusing: for refunds of what may have been spent. */
  readonly clawBack?: boolean;
  /** What comes in is taken past the currency's maximum: where a refusal would tell what was drawn by lot. */
  readonly pastMaximum?: boolean;
  /** When it counts from, in milliseconds since the epoch, if not from when it is made. */
  readonly effectiveAt?: number;
  /** The id of the transaction that it takes back. */
  readonly reverses?: string;
  /** Accounts that are looked at although nothing is posted: what has expired in them leaves them. */
  readonly expires?: readonly { readonly owner: string; readonly currency: string }[];
  /** What must be so of accounts just before it, whether it touches them or not; else it is refused, `balance-changed`. */
  readonly expects?: readonly Expectation[];
}

/** A precondition on an account; one that does not exist yet has nothing, and is at 0. */
export interface Expectation {
  readonly owner: string;
  readonly currency: string;
  /** What can be spent, in smallest units; both ends included. */
  readonly available?: { readonly min?: number; readonly max?: number };
  /** The number of the account's last transaction: nothing at all has happened to it since. */
  readonly seq?: number;
}

/** Whether an account is hot: what it is only given then goes past its document. */
export type IsHot = (account: string) => boolean;

/** The id of the transaction with this key. */
export function transactionId(key: string): string {
  return deterministicId("transaction", key);
}

/** Tells a repeated request from another one under the same key. */
export function fingerprintOf({ key: _, ...request }: NewTransaction): string {
  return fingerprint({ metadata: {}, clawBack: false, ...request });
}

/** The accounts of users that a transaction touches: what has to be read before it is judged. */
export function accountsOf({
  postings,
  expires = [],
  expects = [],
}: Pick<NewTransaction, "postings" | "expires" | "expects">): string[] {
  const ids = postings.flatMap(({ from, to, currency }) => [from, to].flatMap((side) => userAccount(side, currency)));
  return [...new Set([...ids, ...[...expires, ...expects].map(({ owner, currency }) => accountId(owner, currency))])];
}

/** Those hot accounts to which a transaction gives and from which it takes nothing. */
export function onlyGiven(request: NewTransaction, isHot: IsHot): ReadonlySet<string> {
  if (request.clawBack) return new Set();
  const given = new Set<string>();
  const lookedAt = [...(request.expires ?? []), ...(request.expects ?? [])];
  const touched = new Set(lookedAt.map(({ owner, currency }) => accountId(owner, currency)));
  for (const { from, to, currency } of request.postings) {
    for (const account of userAccount(from, currency)) touched.add(account);
    for (const account of userAccount(to, currency)) (sideOf(to).isHeld ? touched : given).add(account);
  }
  return new Set([...given].filter((account) => !touched.has(account) && isHot(account)));
}

function userAccount(side: string, currency: string): string[] {
  return isSystemAccount(side) ? [] : [accountId(sideOf(side).name, currency)];
}

/** Refuses what no account needs to be read for: amounts, currencies, sides and sizes that cannot be. */
export function checkRequest({ postings, reference, reverses, expects = [] }: NewTransaction): void {
  const most = reverses === undefined ? MAX_POSTINGS : MAX_POSTINGS_BACK;
  if (postings.length > most) {
    throw new Failure("invalid-argument", `A transaction has at most ${most} postings.`, {
      reason: "too-many-postings",
    });
  }
  if (expects.length > MAX_EXPECTATIONS) throw invalidInput("expects", `must be ${MAX_EXPECTATIONS} at most`);
  if (reference.length > MAX_TEXT) throw invalidInput("reference", `must have ${MAX_TEXT} characters at most`);
  for (const { from, to, amount, currency } of postings) {
    checkAmount(amount);
    currencyOf(currency);
    if (from === to) throw new Failure("invalid-argument", "A posting needs two accounts.", { reason: "same-account" });
  }
}
