import type Stripe from "stripe";
import type { Booked } from "../../ledger/index.ts";

/** What a balance transaction of Stripe's is about, and how it is found in our books. Source: https://docs.stripe.com/reports/balance-transaction-types */

export type Entry = Stripe.BalanceTransaction;

/** A payment, or something that happened to one: it is the store's, and found by Stripe's ids or the purchase that they name. */
export interface Payment {
  readonly ids: readonly string[];
  /** As `purchase:abc`; by the metadata that the store gives its payments. */
  readonly reference: string | undefined;
  /** Whether money came, or went back. */
  readonly direction: "in" | "out";
}

const PAYMENTS: ReadonlySet<string> = new Set(["charge", "payment"]);
const REFUNDS: ReadonlySet<string> = new Set(["refund", "payment_refund", "payment_failure_refund"]);

/** What of a payment a balance transaction is; undefined if it is none. */
export function paymentOf({ type, source }: Entry): Payment | undefined {
  const object = typeof source === "object" ? source : null;
  if (!object) return undefined;
  const isDispute = type === "adjustment" && object.object === "dispute";
  if (!PAYMENTS.has(type) && !REFUNDS.has(type) && !isDispute) return undefined;
  const ids = [object.id, idIn(object, "charge"), idIn(object, "payment_intent")];
  const purchase = metadataOf(object).purchase;
  return {
    ids: ids.filter((id) => id !== undefined),
    reference: purchase === undefined ? undefined : `purchase:${purchase}`,
    direction: PAYMENTS.has(type) ? "in" : "out",
  };
}

/** What came in from Stripe by a transaction of ours, less what went out to it, in smallest units. */
export function fromStripe({ record }: Booked): number {
  return record.postings.reduce(
    (sum, { from, to, amount }) => sum + (from === STRIPE ? amount : 0) - (to === STRIPE ? amount : 0),
    0,
  );
}

const STRIPE = "system:stripe";

export function sourceId({ source }: Entry): string {
  return typeof source === "string" ? source : (source?.id ?? "");
}

/** The metadata of whatever an entry is about. */
export function metadataOf(object: unknown): Record<string, string> {
  if (typeof object !== "object" || object === null || !("metadata" in object)) return {};
  const { metadata } = object;
  return typeof metadata === "object" && metadata !== null ? (metadata as Record<string, string>) : {};
}

function idIn(object: object, field: string): string | undefined {
  const value: unknown = field in object ? (object as unknown as Record<string, unknown>)[field] : undefined;
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "id" in value ? String(value.id) : undefined;
}
