import { Failure } from "../platform/failure.ts";
import { isAlreadyExists, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId, fingerprint } from "../platform/ids.ts";
import { type Balance, checkAmount, clawBack, credit, debit, EMPTY } from "./balance.ts";
import { currencyOf } from "./currencies.ts";
import {
  type Account,
  accountId,
  accounts,
  isSystemAccount,
  type KINDS,
  type Posting,
  type TransactionRecord,
  transactions,
} from "./records.ts";

const MAX_POSTINGS = 100;

/** A transaction to be made. Owners are user ids or `system:…`. */
export interface NewTransaction {
  /** The idempotency key: however often it is posted, it happens once. */
  readonly key: string;
  readonly kind: (typeof KINDS)[number];
  readonly postings: readonly { from: string; to: string; amount: number; currency: string }[];
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
  /** Takes what is not there as a debt instead of refusing: for refunds of what may have been spent. */
  readonly clawBack?: boolean;
}

/** A transaction that has been judged against the accounts it touches and only needs to be written. */
export interface Prepared {
  readonly id: string;
  readonly record: TransactionRecord;
  /** Adds the writes to the Firestore transaction it was prepared in. */
  write(): void;
}

/** The id of the transaction with this key. */
function transactionId(key: string): string {
  return deterministicId("transaction", key);
}

/**
 * Reads the accounts a transaction touches and works out their new balances: one read for each account of a user.
 * Refuses `insufficient-funds`, `balance-too-large`, `invalid-amount`, `unknown-currency`, `not-transferable`.
 */
export async function prepare(tx: Transaction, request: NewTransaction): Promise<Prepared> {
  const postings = request.postings.map(checkPosting);
  if (postings.length > MAX_POSTINGS) {
    throw new Failure("invalid-argument", `A transaction has at most ${MAX_POSTINGS} postings.`, {
      reason: "too-many-postings",
    });
  }
  const ids = [...new Set(postings.flatMap(({ from, to }) => [from, to]))].filter((id) => !isSystemAccount(id));
  const stored = await read(tx, ids);
  const balances = settle(stored, postings, request.clawBack ?? false);
  const id = transactionId(request.key);
  const record = recordOf(request, postings, stored);
  return {
    id,
    record,
    write: () => {
      tx.create(transactions().doc(id), record);
      for (const [account, balance] of balances) {
        tx.set(
          accounts().doc(account),
          accountOf(account, postings, { balance, before: stored.get(account), id, record }),
        );
      }
    },
  };
}

/** Makes a transaction of its own. The same key again answers with what is stored; with another request it is refused. */
export async function post(request: NewTransaction): Promise<TransactionRecord> {
  try {
    return await transact(async (tx) => {
      const prepared = await prepare(tx, request);
      prepared.write();
      return prepared.record;
    });
  } catch (error) {
    if (!isAlreadyExists(error) && !(error instanceof Failure)) throw error;
    const stored = (await transactions().doc(transactionId(request.key)).get()).data();
    if (!stored) throw error;
    if (stored.fingerprint === fingerprintOf(request)) return stored;
    throw new Failure("already-exists", "This key was used for another request.", { reason: "idempotency-key-reused" });
  }
}

function checkPosting({ from, to, amount, currency }: NewTransaction["postings"][number]): Posting {
  checkAmount(amount);
  const { transferable } = currencyOf(currency);
  if (from === to) throw new Failure("invalid-argument", "A posting needs two accounts.", { reason: "same-account" });
  if (!transferable && !isSystemAccount(from) && !isSystemAccount(to)) {
    throw new Failure("failed-precondition", "This currency cannot be sent to others.", {
      reason: "not-transferable",
      currency,
    });
  }
  const account = (owner: string) => (isSystemAccount(owner) ? owner : accountId(owner, currency));
  return { from: account(from), to: account(to), amount, currency };
}

async function read(tx: Transaction, ids: readonly string[]): Promise<Map<string, Account>> {
  const stored = new Map<string, Account>();
  if (ids.length === 0) return stored;
  const snapshots = await tx.getAll(...ids.map((id) => accounts().doc(id)));
  for (const snapshot of snapshots) {
    const account = snapshot.data();
    if (account) stored.set(snapshot.id, account);
  }
  return stored;
}

/** The balances of users' accounts after all postings, one after the other. */
function settle(
  stored: ReadonlyMap<string, Account>,
  postings: readonly Posting[],
  clawsBack: boolean,
): Map<string, Balance> {
  const balances = new Map<string, Balance>();
  const change = (account: string, next: (balance: Balance) => Balance) => {
    if (isSystemAccount(account)) return;
    balances.set(account, next(balances.get(account) ?? stored.get(account) ?? EMPTY));
  };
  for (const { from, to, amount, currency } of postings) {
    change(from, (balance) => (clawsBack ? clawBack(balance, amount) : debit(balance, amount, currency)));
    change(to, (balance) => credit(balance, amount, currency));
  }
  return balances;
}

function recordOf(
  request: NewTransaction,
  postings: Posting[],
  stored: ReadonlyMap<string, Account>,
): TransactionRecord {
  const touched = [...new Set(postings.flatMap(({ from, to }) => [from, to]))].filter((id) => !isSystemAccount(id));
  const link = (id: string) => ({ seq: (stored.get(id)?.seq ?? 0) + 1, previous: stored.get(id)?.head ?? "" });
  return {
    kind: request.kind,
    postings,
    reference: request.reference,
    metadata: request.metadata ?? {},
    fingerprint: fingerprintOf(request),
    accounts: touched,
    links: Object.fromEntries(touched.map((id) => [id, link(id)])),
    at: timestamp(),
  };
}

function accountOf(
  id: string,
  postings: readonly Posting[],
  to: { balance: Balance; before: Account | undefined; id: string; record: TransactionRecord },
): Account {
  const { currency } = postings.find(({ from, to }) => from === id || to === id) as Posting;
  const { available, held, owed } = to.balance;
  return {
    owner: id.slice(0, -currency.length - 1),
    currency,
    available,
    held,
    owed,
    seq: (to.before?.seq ?? 0) + 1,
    head: to.id,
    updatedAt: to.record.at,
  };
}

function fingerprintOf({ kind, postings, reference, metadata = {}, clawBack = false }: NewTransaction): string {
  return fingerprint({ kind, postings, reference, metadata, clawBack });
}
