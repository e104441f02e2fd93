import type { PurchaseFact } from "../purchase.ts";
import type { Purchase } from "../records.ts";
import type { PurchaseEvent } from "./event.ts";

/** What a webhook says about a purchase. */
export function factOf(user: string, event: PurchaseEvent): PurchaseFact {
  return {
    user,
    product: event.product_id,
    store: event.store,
    environment: event.environment,
    transaction: event.transaction_id,
    purchasedAt: event.purchased_at_ms,
    expiresAt: event.expiration_at_ms ?? null,
    isFree: event.period_type === "TRIAL" || event.is_family_share === true,
    price: priceOf(event.price_in_purchased_currency, event.currency),
  };
}

/** RevenueCat gives prices as decimal fractions; from here on they are whole numbers of the currency's smallest unit. */
function priceOf(amount: number | null | undefined, currency: string | null | undefined): Purchase["price"] {
  if (amount === null || amount === undefined || !currency || !/^[A-Z]{3}$/.test(currency)) return undefined;
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return { amount: Math.round(amount * 10 ** maximumFractionDigits), currency };
}
