import { now } from "../platform/clock.ts";
import { keyReused } from "../platform/failure.ts";
import { getAll, isAlreadyExists, type Transaction, transact } from "../platform/firestore.ts";
import { atTime } from "./balance.ts";
import { Books, type Entry } from "./books.ts";
import { commit } from "./commit.ts";
import { type Freed, free } from "./free.ts";
import { forget } from "./memory.ts";
import { accountId, accounts, type TransactionRecord, transactions } from "./records.ts";
import { accountsOf, checkRequest, fingerprintOf, type NewTransaction, transactionId } from "./request.ts";

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
 * Bill: at most a read for the key and one for each account of a user, none for an account that this instance remembers; a write for the
 * transaction and for each account.
 */
export async function post(request: NewTransaction): Promise<TransactionRecord> {
  return request.clawBack ? await postAlone(request) : (await commit(request)).record;
}

/** What may have to let go of holds is not made together with others. */
async function postAlone(request: NewTransaction): Promise<TransactionRecord> {
  const id = transactionId(request.key);
  const attempt = () =>
    transact(async (tx) => {
      const known = (await tx.get(transactions().doc(id))).data();
      if (known && known.fingerprint !== fingerprintOf(request)) throw keyReused();
      if (known) return known;
      const { entries, write } = await prepareAll(tx, [request]);
      write();
      return (entries[0] as Entry).record;
    });
  try {
    return await attempt();
  } catch (error) {
    // Our own commit may have landed without our hearing of it: then it is there to be read.
    if (!isAlreadyExists(error)) throw error;
    return await attempt();
  }
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

/** What is stored under an idempotency key, as part of another Firestore transaction. One read. */
export async function readTransaction(
  tx: Transaction,
  key: string,
): Promise<{ id: string; record: TransactionRecord } | undefined> {
  const id = transactionId(key);
  const record = (await tx.get(transactions().doc(id))).data();
  return record && { id, record };
}

/** Transactions that have been judged one after the other and only need to be written. */
export interface PreparedAll {
  /** In the order of the requests. */
  readonly entries: readonly Entry[];
  /** Adds the writes to the Firestore transaction they were prepared in. */
  write(): void;
}

/**
 * {@link prepare} for several transactions at once, each judged after the one before it. An account that several touch is written once.
 * A clawback that finds too little lets go of what is held first: a read more for each hold, a write for each that is released.
 */
export async function prepareAll(tx: Transaction, requests: readonly NewTransaction[]): Promise<PreparedAll> {
  for (const request of requests) checkRequest(request);
  const books = new Books();
  const touched = [...new Set(requests.flatMap(accountsOf))];
  for (const [id, account] of await getAll(tx, accounts(), touched)) books.load(id, account);
  const entries: Entry[] = [];
  const freed: Freed[] = [];
  const made: Entry[] = [];
  // Holds are read as they are stored, so of an account they are let go of once.
  const looked = new Set<string>();
  for (const request of requests) {
    for (const [account, short] of shortOf(request, books)) {
      if (looked.has(account)) continue;
      looked.add(account);
      const releases = await free(tx, { key: request.key, ...short });
      freed.push(releases);
      made.push(...releases.requests.map((release) => books.enter(release)));
    }
    const entry = books.enter(request);
    entries.push(entry);
    made.push(entry);
  }
  return {
    entries,
    write: () => {
      for (const { id, record } of made) tx.create(transactions().doc(id), record);
      const after = new Map(made.flatMap((entry) => [...entry.accounts]));
      for (const [account, state] of after) {
        tx.set(accounts().doc(account), state);
        forget(account);
      }
      for (const { write } of freed) write();
    },
  };
}

/** By account, how much more a clawback takes than is available, where something is held. */
function shortOf(
  { postings, clawBack }: NewTransaction,
  books: Books,
): Map<string, { owner: string; currency: string; amount: number }> {
  const short = new Map<string, { owner: string; currency: string; amount: number }>();
  if (!clawBack) return short;
  const wanted = new Map<string, number>();
  for (const { from, amount, currency } of postings) {
    const id = accountId(from, currency);
    wanted.set(id, (wanted.get(id) ?? 0) + amount);
  }
  for (const [id, amount] of wanted) {
    const account = books.account(id);
    if (!account || account.held === 0) continue;
    const { available } = atTime(account, now()).balance;
    if (amount > available) {
      short.set(id, { owner: account.owner, currency: account.currency, amount: amount - available });
    }
  }
  return short;
}
