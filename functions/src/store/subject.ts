import type { Subject } from "../fraud/index.ts";
import { type PurchaseFact, purchaseId } from "./purchase.ts";
import type { Product } from "./records.ts";

/** What only some vendors tell of a purchase. */
export type Evidence = Pick<
  Subject,
  "originalTransaction" | "isFamilyShared" | "knownAs" | "country" | "ipCountry" | "device" | "card"
>;

/**
 * A purchase as the rules against fraud look at it. Only what renews has a receipt that others could come with: of anything else the
 * transaction itself is taken once. What is free is not compared with prices.
 */
export function subjectOf(fact: PurchaseFact, product: Product, evidence: Evidence = {}): Subject {
  const { user, price, store, isFree, transaction, expiresAt, purchasedAt } = fact;
  const { originalTransaction = transaction, isFamilyShared = isFree, ...rest } = evidence;
  return {
    kind: "purchase",
    id: purchaseId(fact),
    user,
    at: purchasedAt,
    product: fact.product,
    store,
    countries: product.countries,
    isFamilyShared,
    ...(price && !isFree && price.amount >= 0
      ? { amount: price, priceExpected: product.prices?.[price.currency] }
      : {}),
    ...(expiresAt === null ? {} : { originalTransaction }),
    ...rest,
  };
}
