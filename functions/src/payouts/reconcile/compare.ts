import type Stripe from "stripe";
import { type Booked, transactionsAbout } from "../../ledger/index.ts";
import { firestore } from "../../platform/firestore.ts";
import type { DifferenceKind } from "../contract.ts";
import { type Withdrawal, withdrawals } from "../records.ts";
import type { State } from "../states.ts";
import { type Entry, fromStripe, metadataOf, type Payment, paymentOf, sourceId } from "./books.ts";

/** Finds what does not fit between a page of Stripe's balance transactions and our books. */

/** Something that does not fit, yet to be noted. */
export interface Found {
  readonly kind: DifferenceKind;
  readonly object: string;
  readonly type: string;
  readonly currency: string;
  readonly there: number;
  readonly here: number;
  readonly what: string;
  readonly withdrawal?: string;
}

/** What our books have on a page. */
interface Ours {
  readonly withdrawals: ReadonlyMap<string, Withdrawal>;
  /** By metadata `stripe`. */
  readonly byObject: ReadonlyMap<string, readonly Booked[]>;
  readonly byReference: ReadonlyMap<string, readonly Booked[]>;
}

/** Of the house's own money at Stripe, to and from its bank. */
const HOUSE_PAYOUTS: ReadonlySet<string> = new Set(["payout", "payout_failure", "payout_cancel"]);
/** Charged apart from any payment; counted with the fees of the day. */
export const FEES: ReadonlySet<string> = new Set(["stripe_fee", "stripe_fx_fee", "tax_fee"]);
/** Withdrawals in these states have had no transfer, or have had it back. */
const WITHOUT_TRANSFER: ReadonlySet<State> = new Set([
  "requested",
  "review",
  "approved",
  "held",
  "rejected",
  "canceled",
]);

/** Compares a page. Bill: a read for each withdrawal and each transaction that the page is about. */
export async function comparePage(entries: readonly Entry[]): Promise<Found[]> {
  const ours = await read(entries);
  return entries.flatMap((entry) => compare(entry, ours) ?? []);
}

async function read(entries: readonly Entry[]): Promise<Ours> {
  const ids = new Set(entries.flatMap(({ source }) => metadataOf(source).withdrawal ?? []));
  const found = ids.size === 0 ? [] : await firestore().getAll(...[...ids].map((id) => withdrawals().doc(id)));
  const payments = entries.flatMap((entry) => paymentOf(entry) ?? []);
  const objects = [...payments.flatMap((payment) => payment.ids), ...entries.flatMap((one) => [one.id, sourceId(one)])];
  const byObject = await transactionsAbout("metadata.stripe", objects);
  const references = payments.flatMap(({ reference }) => reference ?? []);
  const byReference = await transactionsAbout("reference", references);
  return {
    withdrawals: new Map(found.flatMap((one) => (one.exists ? [[one.id, one.data() as Withdrawal]] : []))),
    byObject: Map.groupBy(byObject, ({ record }) => String(record.metadata.stripe)),
    byReference: Map.groupBy(byReference, ({ record }) => record.reference),
  };
}

function compare(entry: Entry, ours: Ours): Found | undefined {
  if (FEES.has(entry.type)) return undefined;
  if (entry.type === "transfer") return compareTransfer(entry, ours);
  if (entry.type === "transfer_refund") return compareReversal(entry, ours);
  if (HOUSE_PAYOUTS.has(entry.type)) {
    if (ours.byObject.has(entry.id)) return undefined;
    return found(entry, {
      kind: "payout-not-booked",
      object: entry.id,
      what: `${entry.type} between Stripe and the house's bank`,
    });
  }
  const payment = paymentOf(entry);
  if (payment) return comparePayment(entry, payment, ours);
  if (ours.byObject.has(sourceId(entry)) || ours.byObject.has(entry.id)) return undefined;
  return found(entry, { kind: "missing-here", what: `${entry.type} that our books do not know` });
}

function compareTransfer(entry: Entry, ours: Ours): Found | undefined {
  const transfer = entry.source as Stripe.Transfer;
  const id = metadataOf(transfer).withdrawal ?? "";
  const withdrawal = ours.withdrawals.get(id);
  if (!withdrawal) {
    if (ours.byObject.has(transfer.id)) return undefined;
    return found(entry, { kind: "missing-here", what: "a transfer that belongs to no withdrawal" });
  }
  const here = withdrawal.fee - withdrawal.amount;
  const about = { withdrawal: id, here };
  if (withdrawal.transfer !== undefined && withdrawal.transfer !== transfer.id) {
    return transfer.reversed
      ? undefined
      : found(entry, { ...about, kind: "paid-twice", what: `the withdrawal has ${withdrawal.transfer}` });
  }
  if (here !== entry.amount) return found(entry, { ...about, kind: "amount-differs", what: "of a transfer" });
  const isMissing = withdrawal.transfer === undefined || WITHOUT_TRANSFER.has(withdrawal.state);
  if (!isMissing || transfer.reversed) return undefined;
  return found(entry, {
    ...about,
    kind: "state-differs",
    what: `a transfer, and the withdrawal is ${withdrawal.state}`,
  });
}

function compareReversal(entry: Entry, ours: Ours): Found | undefined {
  const id = metadataOf(entry.source).withdrawal ?? "";
  const withdrawal = ours.withdrawals.get(id);
  if (!withdrawal) {
    if (ours.byObject.has(sourceId(entry))) return undefined;
    return found(entry, { kind: "missing-here", what: "a reversal that belongs to no withdrawal" });
  }
  const about = { withdrawal: id, here: withdrawal.amount - withdrawal.fee };
  if (withdrawal.state !== "returned") {
    return found(entry, { ...about, kind: "state-differs", what: `a reversal, and it is ${withdrawal.state}` });
  }
  return about.here === entry.amount
    ? undefined
    : found(entry, { ...about, kind: "amount-differs", what: "of a reversal" });
}

/**
 * A payment is booked if there is a transaction with its id or its purchase's reference; where money is booked from `system:stripe`, it has
 * to be the same. What goes back is booked by a transaction of its own, or by one that takes the payment's back.
 */
function comparePayment(entry: Entry, { ids, reference, direction }: Payment, ours: Ours): Found | undefined {
  const booked = [
    ...ids.flatMap((id) => ours.byObject.get(id) ?? []),
    ...(reference === undefined ? [] : (ours.byReference.get(reference) ?? [])),
  ];
  const once = [...new Map(booked.map((one) => [one.id, one])).values()];
  if (direction === "out") {
    const isBooked = once.some(({ record }) => BACK.has(record.kind) || record.reversedBy !== undefined);
    return isBooked ? undefined : found(entry, { kind: "missing-here", what: `${entry.type} that is not booked` });
  }
  if (once.length === 0) return found(entry, { kind: "missing-here", what: "a payment that is not booked" });
  const here = once.filter(({ record }) => !BACK.has(record.kind)).reduce((sum, one) => sum + fromStripe(one), 0);
  if (here === 0 || here === entry.amount) return undefined;
  return found(entry, { kind: "amount-differs", here, what: "of a payment" });
}

const BACK: ReadonlySet<string> = new Set(["refund", "chargeback", "adjustment"]);

function found(entry: Entry, rest: Pick<Found, "kind" | "what"> & Partial<Found>): Found {
  const { currency, amount, type } = entry;
  return { object: sourceId(entry), type, currency: currency.toUpperCase(), there: amount, here: 0, ...rest };
}
