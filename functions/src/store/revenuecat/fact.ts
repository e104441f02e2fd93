import { now } from "../../platform/clock.ts";
import { type News, type PurchaseFact, WHOLE } from "../purchase.ts";
import type { Purchase } from "../records.ts";
import type { NewsEvent, PurchaseEvent } from "./event.ts";

/** When something happened, as far as an event says. A clock that is ahead of ours would outdo all that comes after. */
export function happenedAt({ event_timestamp_ms }: { readonly event_timestamp_ms: number }): number {
  return Math.min(event_timestamp_ms, now());
}

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
    isFree: isUnpaid(event.period_type) || event.is_family_share === true,
    price: priceOf(event.price_in_purchased_currency, event.currency),
    vendor: "revenuecat",
  };
}

/** A free trial, or what an operator gives at RevenueCat. */
export function isUnpaid(periodType: string | null | undefined): boolean {
  return ["TRIAL", "PROMOTIONAL"].includes(periodType?.toUpperCase() ?? "");
}

/** RevenueCat gives prices as decimal fractions; from here on they are whole numbers of the currency's smallest unit. */
export function priceOf(amount: number | null | undefined, currency: string | null | undefined): Purchase["price"] {
  if (amount === null || amount === undefined || !currency || !/^[A-Z]{3}$/.test(currency)) return undefined;
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions();
  return { amount: Math.round(amount * 10 ** maximumFractionDigits), currency };
}

/** What an event tells of a purchase besides that it was made; undefined if that changes nothing. */
export function newsOf(event: NewsEvent): News | undefined {
  const at = happenedAt(event);
  switch (event.type) {
    case "CANCELLATION":
      return isRefund(event) ? { kind: "refunded", at, ...WHOLE } : { kind: "renewalOff", at };
    case "UNCANCELLATION":
      return { kind: "renewalOn", at };
    case "EXPIRATION":
      return { kind: "ended", at: Math.min(event.expiration_at_ms ?? at, at) };
    case "BILLING_ISSUE":
      return isMoment(event.grace_period_expiration_at_ms)
        ? { kind: "graced", at, until: event.grace_period_expiration_at_ms }
        : undefined;
    case "SUBSCRIPTION_PAUSED":
      return { kind: "paused", at, resumesAt: event.auto_resume_at_ms ?? null };
    case "SUBSCRIPTION_EXTENDED":
      return isMoment(event.expiration_at_ms) ? { kind: "extended", at, expiresAt: event.expiration_at_ms } : undefined;
    case "PRODUCT_CHANGE":
      return event.new_product_id ? { kind: "changed", at, product: event.new_product_id } : undefined;
    case "REFUND_REVERSED":
      return { kind: "refunded", at, ...WHOLE, amount: 0 };
  }
}

function isMoment(millis: number | null | undefined): millis is number {
  return typeof millis === "number";
}

/**
 * `CUSTOMER_SUPPORT` is how RevenueCat words a refund; its price is then negative or, for some stores, zero. What does not expire can
 * only be cancelled by a refund.
 */
function isRefund({ cancel_reason, price_in_purchased_currency, expiration_at_ms }: NewsEvent): boolean {
  return cancel_reason === "CUSTOMER_SUPPORT" || (price_in_purchased_currency ?? 0) < 0 || !isMoment(expiration_at_ms);
}
