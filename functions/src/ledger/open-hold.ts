import type { Transaction } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { currencyOf } from "./currencies.ts";
import { after, type Judged, judge, type Part, postingsOf, readHold } from "./hold-moves.ts";
import { leftOf } from "./holdings.ts";
import type { Release } from "./holds.ts";
import { accountId, accounts, type Hold, holds, type TransactionRecord } from "./records.ts";

/** What is left of a hold, read as part of a Firestore transaction, by which it can be ended. */
export interface OpenHold {
  readonly amount: number;
  /** Whether the owner's account is frozen. Bill: 1 read. */
  isFrozen(): Promise<boolean>;
  /** Gives back what is left to the owner, as the lots it was; undefined if nothing is. Bill: 1 read, 3 writes. */
  giveBack(request: Omit<Release, "hold" | "amount">): Promise<Judged | undefined>;
  /**
   * Sends money that has left the house to accounts of the house. What a clawback has taken out of the hold meanwhile is owed, for it has
   * left all the same. Bill: 1 read, 3 writes.
   */
  payOut(request: Omit<PaidOut, "hold">): Promise<Judged>;
}

export interface PaidOut {
  /** The idempotency key. */
  readonly key: string;
  readonly hold: string;
  /** Accounts of the house and what each gets. */
  readonly parts: readonly { readonly to: string; readonly amount: number }[];
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/** Reads a hold in order to end it, as part of another Firestore transaction, which has an idempotency of its own. Bill: 1 read. */
export async function openHold(tx: Transaction, hold: string): Promise<OpenHold> {
  const current = await readHold(tx, hold);
  const amount = leftOf(current);
  return {
    amount,
    isFrozen: async () => {
      const account = accounts().doc(accountId(current.owner, current.currency));
      return (await tx.get(account)).data()?.frozen ?? false;
    },
    giveBack: (request) =>
      amount === 0
        ? Promise.resolve(undefined)
        : end(tx, { ...request, hold }, { kind: "release", current, parts: [{ to: current.owner, amount }] }),
    payOut: ({ parts, ...request }) => end(tx, { ...request, hold }, { kind: "payout", current, parts }),
  };
}

/** Takes all that is left of a hold, and what is missing from its owner. */
async function end(
  tx: Transaction,
  { key, hold, reference, metadata = {} }: Omit<Release, "amount">,
  { kind, current, parts }: { kind: "release" | "payout"; current: Hold; parts: readonly Part[] },
): Promise<Judged> {
  const { owner, currency, lots } = current;
  const amount = parts.reduce((whole, part) => whole + part.amount, 0);
  const left = leftOf(current);
  const { found, missing } = cut(parts, left);
  // What has been paid out was fit for it.
  const source = currencyOf(currency).redeemable[0] ?? "earned";
  const { write, id } = await judge(tx, {
    key,
    kind,
    postings: [
      ...postingsOf(current, lots, found),
      ...missing.map((part) => ({ from: owner, ...part, currency, lots: [{ source, amount: part.amount }] })),
    ],
    reference,
    metadata: { ...metadata, hold },
    ...(missing.length > 0 ? { clawBack: true } : {}),
  });
  const print = fingerprint({ kind, hold, parts, reference });
  const change = { kind: kind === "payout" ? ("capture" as const) : kind, id, amount: left, print, lots: [] };
  return {
    id,
    amount,
    write: () => {
      write();
      if (left > 0) tx.set(holds().doc(hold), after(current, change));
    },
  };
}

/** Parts that an amount is enough for, the first first, and what is missing of the others. */
function cut(parts: readonly Part[], amount: number): { found: Part[]; missing: Part[] } {
  let left = amount;
  const found: Part[] = [];
  const missing: Part[] = [];
  for (const part of parts) {
    const share = Math.min(part.amount, left);
    left -= share;
    if (share > 0) found.push({ ...part, amount: share });
    if (share < part.amount) missing.push({ ...part, amount: part.amount - share });
  }
  if (left > 0) throw new RangeError(`the hold has ${left} more than is taken`);
  return { found, missing };
}
