import { Failure } from "../platform/failure.ts";
import { isAlreadyExists, type Transaction, transact } from "../platform/firestore.ts";
import type { Lot } from "./lots.ts";
import { prepare } from "./post.ts";
import {
  accountOfIncoming,
  EXPIRED,
  isSystemAccount,
  type Kind,
  type Posting,
  sideOf,
  type TransactionRecord,
  transactions,
} from "./records.ts";
import { type NewPosting, type NewTransaction, transactionId } from "./request.ts";

/** What only makes sense together with a hold or with time, and is undone there. */
const NOT_REVERSIBLE: ReadonlySet<Kind> = new Set(["hold", "release", "expiry", "freeze", "unfreeze", "renew", "fold"]);

export interface Reversal {
  /** The id of the transaction to be taken back. */
  readonly transaction: string;
  readonly kind: Kind & ("refund" | "chargeback" | "adjustment");
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/** What goes with a reversal. */
export interface Along {
  /** Refuses, by throwing, what else may not be taken back. */
  readonly check?: (original: TransactionRecord) => void;
  /** Adds further writes to the transaction, if it does anything. */
  readonly write?: (tx: Transaction, reversal: string) => void;
}

/**
 * Takes a transaction back, once: whoever got something gives it back, if need be as a debt, and whoever gave it has it again as the lots
 * it was. A reversal can be reversed in turn. Both name each other (`reverses`, `reversedBy`).
 *
 * Bill: a read for the original and each account; a write for each of these and the reversal. Repeated: 1 read.
 * Refuses `unknown-transaction`, `not-reversible`, `balance-too-large`.
 */
export async function reverse(reversal: Reversal, also: Along = {}): Promise<{ id: string }> {
  const attempt = () =>
    transact(async (tx) => {
      const { reversedBy, original, request, mark } = await readReversal(tx, reversal);
      also.check?.(original);
      if (reversedBy !== undefined) return { id: reversedBy };
      const prepared = await prepare(tx, request);
      prepared.write();
      mark();
      also.write?.(tx, prepared.id);
      return { id: prepared.id };
    });
  try {
    return await attempt();
  } catch (error) {
    // Our own commit may have landed without our hearing of it: then the original says so.
    if (!isAlreadyExists(error)) throw error;
    return await attempt();
  }
}

/** A reversal that is yet to be judged, as part of another Firestore transaction. */
export interface ReadReversal {
  /** The transaction that has taken it back before: then there is nothing to do. */
  readonly reversedBy: string | undefined;
  readonly original: TransactionRecord;
  readonly request: NewTransaction;
  /** Notes on the original that it is taken back; to be written with the request. */
  mark(): void;
}

/** Reads what a reversal takes back; see {@link reverse}. One read. */
export async function readReversal(tx: Transaction, reversal: Reversal): Promise<ReadReversal> {
  const original = await readOriginal(tx, reversal.transaction);
  return {
    reversedBy: original.reversedBy,
    original,
    request: reversalOf(original, reversal),
    mark: () => {
      tx.update(transactions().doc(reversal.transaction), { reversedBy: reversalId(reversal.transaction) });
    },
  };
}

/** The transaction that takes another back. */
export function reversalOf(
  original: TransactionRecord,
  { transaction, kind, reference, metadata }: Reversal,
): NewTransaction {
  if (NOT_REVERSIBLE.has(original.kind)) {
    throw new Failure("failed-precondition", `A ${original.kind} cannot be taken back.`, { reason: "not-reversible" });
  }
  return {
    key: reversalKey(transaction),
    kind,
    postings: original.postings.flatMap(inverted).reverse(),
    reference,
    ...(metadata ? { metadata } : {}),
    clawBack: true,
    reverses: transaction,
  };
}

/** A posting for each lot that had left, so that each comes back as what it was. */
function inverted({ from, to, amount, currency, lots, as, owed }: Posting): NewPosting[] {
  if (to === EXPIRED) return [];
  const [giver, taker] = [ownerOf(to, currency), ownerOf(from, currency)];
  if (giver === taker) return [];
  const missing = amount - lots.reduce((sum, lot) => sum + lot.amount, 0);
  const parts: (Lot | { amount: number })[] = missing > 0 ? [...lots, { ...owed, amount: missing }] : [...lots];
  return parts.map((part) => {
    const { amount: share, ...kind } = part;
    const entered = as ? { ...as, amount: share } : "source" in part ? part : undefined;
    return {
      from: giver,
      to: taker,
      amount: share,
      currency,
      ...(entered ? { lots: [entered] } : {}),
      ...("source" in kind && !isSystemAccount(taker) ? { as: kind } : {}),
    };
  });
}

/** What was paid out of a hold comes back to its owner, free; what a hot account was given is taken from it, folded in or not. */
function ownerOf(side: string, currency: string): string {
  const account = accountOfIncoming(side) ?? side;
  return isSystemAccount(account) ? account : sideOf(account).name.slice(0, -currency.length - 1);
}

async function readOriginal(tx: Transaction, id: string): Promise<TransactionRecord> {
  const original = (await tx.get(transactions().doc(id))).data();
  if (!original) {
    throw new Failure("not-found", "There is no such transaction.", { reason: "unknown-transaction" });
  }
  return original;
}

function reversalKey(transaction: string): string {
  return `reversal ${transaction}`;
}

function reversalId(transaction: string): string {
  return transactionId(reversalKey(transaction));
}
