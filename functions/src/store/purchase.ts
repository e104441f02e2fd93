import { timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import type { Foretold, Ground, Purchase } from "./records.ts";

/** A purchase as a vendor reports it. Times are milliseconds since the epoch. */
export interface PurchaseFact {
  readonly user: string;
  readonly product: string;
  /** As `APP_STORE`. */
  readonly store: string;
  readonly environment: Purchase["environment"];
  /** The store's id of this payment: of each renewal another. */
  readonly transaction: string;
  readonly purchasedAt: number;
  /** Null: for ever. */
  readonly expiresAt: number | null;
  /** A free trial, or somebody else of the family has paid. */
  readonly isFree: boolean;
  readonly price: Purchase["price"];
}

/** What is heard of a purchase besides that it was made. */
export interface News {
  /** Its renewal was turned off; it ran out; the money went back. */
  readonly kind: "renewalOff" | "ended" | "refunded";
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The id of a purchase: the same whether a webhook or the app tells of it. */
export function purchaseId({
  environment,
  store,
  transaction,
}: Pick<PurchaseFact, "environment" | "store" | "transaction">): string {
  return deterministicId("purchase", environment, store, transaction);
}

/** A purchase, or what is known of one that is yet to come, after news of it. The order in which news comes makes no difference. */
export function withNews<Known extends Purchase | Foretold>(known: Known, { kind, at }: News): Known {
  const field = `${kind}At` as const;
  const earliest = Math.min(at, known[field]?.toMillis() ?? Number.POSITIVE_INFINITY);
  return { ...known, [field]: timestamp(earliest), updatedAt: timestamp() };
}

/** A purchase as it is recorded, with the news that came before it. */
export function purchaseOf(
  { user, product, store, environment, transaction, price, purchasedAt, expiresAt }: PurchaseFact,
  rest: Pick<Purchase, "grant" | "via">,
  foretold: Foretold | undefined,
): Purchase {
  const { renewalOffAt, endedAt, refundedAt } = foretold ?? {};
  return {
    ...rest,
    state: refundedAt ? "refunded" : "granted",
    user,
    product,
    store,
    environment,
    transaction,
    ...(price ? { price } : {}),
    purchasedAt: timestamp(purchasedAt),
    expiresAt: expiresAt === null ? null : timestamp(expiresAt),
    ...(renewalOffAt ? { renewalOffAt } : {}),
    ...(endedAt ? { endedAt } : {}),
    ...(refundedAt ? { refundedAt } : {}),
    updatedAt: timestamp(),
  };
}

/** What a purchase means for the entitlements it gives: until when, and whether it will go on. */
export function groundOf({ product, store, expiresAt, endedAt, refundedAt, renewalOffAt }: Purchase): Ground {
  const ends = [expiresAt, endedAt, refundedAt].flatMap((end) => (end ? [end.toMillis()] : []));
  return {
    product,
    store,
    endsAt: ends.length > 0 ? timestamp(Math.min(...ends)) : null,
    willRenew: expiresAt !== null && !endedAt && !refundedAt && !renewalOffAt,
  };
}
