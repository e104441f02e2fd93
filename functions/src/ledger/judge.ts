import type { DocumentReference, Transaction } from "../platform/firestore.ts";
import { Books, type Entry } from "./books.ts";
import { noteHot } from "./hot.ts";
import { type Account, accounts, incoming, type TransactionRecord, transactions } from "./records.ts";
import type { NewTransaction } from "./request.ts";

/** What one group commit reads, decides and writes; see commit.ts. */

/** Adds writes to the commit that makes an entry. */
export type Also = (tx: Transaction, entry: Entry) => void;

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
  /** Whether its key was new when it was looked up. */
  readonly isNew: boolean;
}

export interface Judged<One extends Asked> {
  readonly made: { one: One; entry: Entry }[];
  /** Made before. */
  readonly known: { one: One; record: TransactionRecord }[];
  readonly refused: { one: One; error: unknown }[];
}

/**
 * Judges transactions one after the other and adds what they come to to the commit. Bill: a read for each account, and for each key that was
 * not looked up before.
 */
export async function judge<One extends Asked>(tx: Transaction, batch: readonly One[]): Promise<Judged<One>> {
  const { books, stored } = await read(tx, batch);
  const judged: Judged<One> = { made: [], known: [], refused: [] };
  const changed = new Map<string, Account>();
  const [ofAccounts, ofTransactions, ofIncoming] = [accounts(), transactions(), incoming()];
  for (const one of batch) {
    const record = stored.get(one.id);
    if (record) {
      judged.known.push({ one, record });
      continue;
    }
    let entry: Entry;
    try {
      const isHot = (account: string) => one.hot.has(account) || books.isHot(account);
      entry = books.enter(one.request, isHot, one.fingerprint);
    } catch (error) {
      judged.refused.push({ one, error });
      continue;
    }
    // What throws from here on is in the books in memory already and half in the commit: nothing of the commit may be made.
    tx.create(ofTransactions.doc(entry.id), entry.record);
    for (const [id, given] of entry.incoming) tx.create(ofIncoming.doc(id), given);
    one.also?.(tx, entry);
    for (const [id, account] of entry.accounts) changed.set(id, account);
    judged.made.push({ one, entry });
  }
  // An account that several of them touch is written once, as the last leaves it.
  for (const [id, account] of changed) tx.set(ofAccounts.doc(id), account);
  return judged;
}

/** The accounts that a batch touches, and what is stored under those of its keys that were not looked up; in one request. */
async function read(
  tx: Transaction,
  batch: readonly Asked[],
): Promise<{ books: Books; stored: Map<string, TransactionRecord> }> {
  const accountIds = [...new Set(batch.flatMap((one) => one.accounts))];
  const unknown = batch.filter(({ isNew }) => !isNew);
  const [ofAccounts, ofTransactions] = [accounts(), transactions()];
  const documents = [
    ...accountIds.map((id) => ofAccounts.doc(id)),
    ...unknown.map(({ id }) => ofTransactions.doc(id)),
  ] as DocumentReference[];
  const found = documents.length > 0 ? await tx.getAll(...documents) : [];
  const books = new Books();
  for (const [i, id] of accountIds.entries()) {
    const account = found[i]?.data() as Account | undefined;
    books.load(id, account);
    noteHot(id, account?.hot ?? false);
  }
  const stored = new Map<string, TransactionRecord>();
  for (const snapshot of found.slice(accountIds.length)) {
    if (snapshot.exists) stored.set(snapshot.id, snapshot.data() as TransactionRecord);
  }
  return { books, stored };
}
