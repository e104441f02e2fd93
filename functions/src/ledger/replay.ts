import { type Balance, credit } from "./balance.ts";
import { isFrozenAfter } from "./books.ts";
import { contentOf, isSigned, linkText } from "./chain.ts";
import { cleared, type Lot, sum, takeSame } from "./lots.ts";
import { heldBy, KINDS, type Posting, type TransactionRecord } from "./records.ts";

/** Where an account's chain stands: what the account holds, and the place and hash of its last transaction. */
export interface Standing extends Balance {
  readonly seq: number;
  readonly hash: string;
  readonly frozen?: boolean | undefined;
}

/** What does not fit, in a sentence. */
export class Misfit extends Error {
  override readonly name = "Misfit";
}

/**
 * Where an account stands after its next transaction, from nothing but the transaction. Throws {@link Misfit} if it is not the next, not what
 * was signed, or could not have been made of what the account held.
 */
export function next(
  account: string,
  before: Standing,
  { id, record }: { id: string; record: TransactionRecord },
): Standing {
  const link = record.links[account];
  if (!link) throw new Misfit(`it has no place in the chain of ${account}`);
  if (link.seq !== before.seq + 1)
    throw new Misfit(`it is number ${link.seq} of ${account}, and ${before.seq + 1} is due`);
  const content = contentOf(id, record);
  if (!isSigned(content, record.signature)) throw new Misfit("its signature is not of what it says");
  const balance = replayed(account, before, record);
  for (const part of ["available", "held", "owed"] as const) {
    if (link[part] !== balance[part]) {
      throw new Misfit(`after it ${account} has ${balance[part]} ${part}, and it says ${link[part]}`);
    }
  }
  const text = linkText({ account, seq: link.seq, previous: before.hash, content, after: balance });
  if (!isSigned(text, link.hash)) throw new Misfit(`its hash in the chain of ${account} is not of what it follows`);
  return { ...balance, seq: link.seq, hash: link.hash, frozen: isFrozenAfter(record.kind, before.frozen) };
}

function replayed(account: string, before: Balance, record: TransactionRecord): Balance {
  let balance: Balance = { ...before, lots: cleared(before.lots, record.at.toMillis()) };
  for (const posting of record.postings) {
    if (posting.from === account) balance = without(balance, posting);
    if (posting.from === heldBy(account)) balance = { ...balance, held: balance.held - posting.amount };
    if (posting.to === account) balance = put(balance, posting, record);
    if (posting.to === heldBy(account)) balance = { ...balance, held: balance.held + posting.amount };
  }
  return balance;
}

/** That there was room for it was judged when it was made. */
function put(balance: Balance, posting: Posting, record: TransactionRecord): Balance {
  return credit(balance, entering(posting, record), posting.currency, Number.MAX_SAFE_INTEGER);
}

function without(balance: Balance, { amount, lots }: Posting): Balance {
  const { taken, left } = takeSame(balance.lots, lots);
  const there = sum(taken);
  if (there !== sum(lots)) throw new Misfit(`it takes ${sum(lots)} of lots of which there are ${there}`);
  return { ...balance, available: sum(left), lots: left, owed: balance.owed + amount - there };
}

/** As what an amount enters an account. */
function entering({ amount, lots, as }: Posting, { kind }: TransactionRecord): readonly Lot[] {
  if (as) return [{ ...as, amount }];
  const missing = amount - sum(lots);
  return missing > 0 ? [...lots, { source: KINDS[kind], amount: missing }] : lots;
}
