import { getAll, type Transaction } from "../platform/firestore.ts";
import { accountsOf, Books, checkRequest, type Entry, type NewTransaction } from "./books.ts";
import { commit } from "./commit.ts";
import { accounts, type TransactionRecord, transactions } from "./records.ts";

/** A transaction that has been judged against the accounts it touches and only needs to be written. */
export interface Prepared {
  readonly id: string;
  readonly record: TransactionRecord;
  /** Adds the writes to the Firestore transaction it was prepared in. */
  write(): void;
}

/**
 * Makes a transaction. The same key again answers with what is stored; with another request it is refused, `idempotency-key-reused`.
 * Refuses what {@link Books.enter} refuses, and `busy` when too many are at it; whoever is told so may ask again under the same key.
 *
 * Bill: a read for the key and one for each account of a user; a write for the transaction and for each account.
 */
export async function post(request: NewTransaction): Promise<TransactionRecord> {
  return (await commit(request)).record;
}

/**
 * Judges a transaction as part of another Firestore transaction, which has an idempotency of its own: one read for each account of a
 * user. Refuses what {@link Books.enter} refuses.
 */
export async function prepare(tx: Transaction, request: NewTransaction): Promise<Prepared> {
  const { entries, write } = await prepareAll(tx, [request]);
  const { id, record } = entries[0] as Entry;
  return { id, record, write };
}

/** Transactions that have been judged one after the other and only need to be written. */
export interface PreparedAll {
  /** In the order of the requests. */
  readonly entries: readonly Entry[];
  /** Adds the writes to the Firestore transaction they were prepared in. */
  write(): void;
}

/** {@link prepare} for several transactions at once, each judged after the one before it. An account that several touch is written once. */
export async function prepareAll(tx: Transaction, requests: readonly NewTransaction[]): Promise<PreparedAll> {
  for (const request of requests) checkRequest(request);
  const books = new Books();
  const touched = [...new Set(requests.flatMap(accountsOf))];
  for (const [id, account] of await getAll(tx, accounts(), touched)) books.load(id, account);
  const entries = requests.map((request) => books.enter(request));
  return {
    entries,
    write: () => {
      for (const { id, record } of entries) tx.create(transactions().doc(id), record);
      const after = new Map(entries.flatMap((entry) => [...entry.accounts]));
      for (const [account, state] of after) tx.set(accounts().doc(account), state);
    },
  };
}
