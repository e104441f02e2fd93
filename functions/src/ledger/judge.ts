import type { Transaction, Writes } from "../platform/firestore.ts";
import { Books, type Entry } from "./books.ts";
import { noteHot } from "./hot.ts";
import { compare, forget, remember } from "./memory.ts";
import { type Account, accounts, incoming, transactions } from "./records.ts";
import type { NewTransaction } from "./request.ts";

/** What one group commit reads, decides and writes; see commit.ts. */

/** Adds writes to the commit that makes an entry. */
export type Also = (writes: Writes, entry: Entry) => void;

/** A transaction that is asked for. */
export interface Asked {
  /** Of the transaction. */
  readonly id: string;
  readonly request: NewTransaction;
  readonly fingerprint: string;
  /** Accounts that are only given to and were hot when it came. */
  readonly hot: ReadonlySet<string>;
  /** The others that it touches. */
  readonly accounts: readonly string[];
  readonly also: Also | undefined;
}

export interface Judged<One extends Asked> {
  readonly made: { one: One; entry: Entry }[];
  readonly refused: { one: One; error: unknown }[];
  /** As the last that touches them leaves them. */
  readonly changed: Map<string, Account>;
}

/**
 * Judges transactions one after the other and adds what they come to to the commit, but for the accounts. Nobody has looked whether they
 * have been made before: then the commit fails, because their documents are there.
 */
export function judge<One extends Asked>(writes: Writes, batch: readonly One[], books: Books): Judged<One> {
  const judged: Judged<One> = { made: [], refused: [], changed: new Map() };
  const [ofTransactions, ofIncoming] = [transactions(), incoming()];
  for (const one of batch) {
    let entry: Entry;
    try {
      const isHot = (account: string) => one.hot.has(account) || books.isHot(account);
      entry = books.enter(one.request, isHot, one);
    } catch (error) {
      judged.refused.push({ one, error });
      continue;
    }
    // What throws from here on is in the books in memory already and half in the commit: nothing of the commit may be made.
    writes.create(ofTransactions.doc(entry.id), entry.record);
    for (const [id, given] of entry.incoming) writes.create(ofIncoming.doc(id), given);
    one.also?.(writes, entry);
    for (const [id, account] of entry.accounts) judged.changed.set(id, account);
    judged.made.push({ one, entry });
  }
  return judged;
}

/** The accounts that a batch touches. */
export function accountsIn(batch: readonly Asked[]): string[] {
  return [...new Set(batch.flatMap((one) => one.accounts))];
}

/** {@link judge} with the accounts read under lock. Bill: a read for each account. */
export async function judgeLocked<One extends Asked>(tx: Transaction, batch: readonly One[]): Promise<Judged<One>> {
  const ids = accountsIn(batch);
  const ofAccounts = accounts();
  const found = ids.length > 0 ? await tx.getAll(...ids.map((id) => ofAccounts.doc(id))) : [];
  const books = new Books();
  for (const [i, id] of ids.entries()) {
    const account = found[i]?.data();
    books.load(id, account);
    noteHot(id, account?.hot ?? false);
    compare(id, account);
    forget(id);
  }
  const judged = judge(tx, batch, books);
  for (const [id, account] of judged.changed) tx.set(ofAccounts.doc(id), account);
  return judged;
}

/** Notes what a transaction with locks has left, once it is committed. */
export function rememberWritten(changed: ReadonlyMap<string, Account>): void {
  for (const [id, account] of changed) remember(id, account);
}
