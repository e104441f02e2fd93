import { randomUUID } from "node:crypto";
import type { Customer, Purchase } from "./customers.ts";

/**
 * The formats of RevenueCat: bodies of webhooks and the answer of `GET /v1/subscribers/{id}`.
 * Sources: https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields,
 * https://www.revenuecat.com/docs/api-v1/customer-info-model
 */

export type EventType =
  | "INITIAL_PURCHASE"
  | "NON_RENEWING_PURCHASE"
  | "RENEWAL"
  | "CANCELLATION"
  | "EXPIRATION"
  | "TEST";

export interface WebhookBody {
  readonly api_version: "1.0";
  readonly event: { readonly id: string; readonly type: string; readonly [field: string]: unknown };
}

/** The body of the webhook that tells of something that has happened to a purchase. */
export function webhookBody(type: EventType, { id, purchases }: Customer, purchase: Purchase): WebhookBody {
  const isRefund = type === "CANCELLATION" && purchase.refundedAt !== undefined;
  const isPaid = type === "INITIAL_PURCHASE" || type === "NON_RENEWING_PURCHASE" || type === "RENEWAL";
  const price = isPaid ? purchase.price : isRefund ? -purchase.price : 0;
  return {
    api_version: "1.0",
    event: {
      type,
      id: randomUUID().toUpperCase(),
      app_id: "app1a2b3c4",
      event_timestamp_ms: Date.now(),
      app_user_id: id,
      original_app_user_id: id,
      aliases: [id],
      product_id: purchase.product,
      entitlement_id: null,
      entitlement_ids: purchase.entitlements.length > 0 ? purchase.entitlements : null,
      presented_offering_id: null,
      period_type: purchase.periodType,
      purchased_at_ms: purchase.purchasedAt,
      expiration_at_ms: purchase.expiresAt ?? null,
      environment: purchase.environment,
      store: purchase.store,
      transaction_id: purchase.transaction,
      original_transaction_id: purchase.originalTransaction,
      is_family_share: false,
      country_code: "US",
      currency: purchase.currency,
      price,
      price_in_purchased_currency: price,
      subscriber_attributes: {},
      takehome_percentage: 0.7,
      tax_percentage: 0,
      commission_percentage: 0.3,
      offer_code: null,
      renewal_number: purchases.filter(({ product }) => product === purchase.product).length,
      ...(type === "CANCELLATION" ? { cancel_reason: isRefund ? "CUSTOMER_SUPPORT" : "UNSUBSCRIBE" } : {}),
      ...(type === "EXPIRATION" ? { expiration_reason: "UNSUBSCRIBE" } : {}),
    },
  };
}

/** The body of the webhook that the dashboard's button "send test event" sends. */
export function testBody(): WebhookBody {
  return {
    api_version: "1.0",
    event: { type: "TEST", id: randomUUID().toUpperCase(), event_timestamp_ms: Date.now() },
  };
}

/** What `GET /v1/subscribers/{id}` answers. */
export function subscriberAnswer(customer: Customer): object {
  const now = Date.now();
  const subscriptions = customer.purchases.filter(({ kind }) => kind === "subscription");
  const others = Map.groupBy(
    customer.purchases.filter(({ kind, refundedAt }) => kind === "consumable" && refundedAt === undefined),
    ({ product }) => product,
  );
  return {
    request_date: iso(now),
    request_date_ms: now,
    subscriber: {
      original_app_user_id: customer.id,
      original_application_version: null,
      original_purchase_date: null,
      first_seen: iso(customer.firstSeen),
      last_seen: iso(now),
      management_url: null,
      other_purchases: {},
      subscriptions: Object.fromEntries(
        subscriptions.map((purchase) => [idAndPlan(purchase).product, subscription(purchase)]),
      ),
      non_subscriptions: Object.fromEntries([...others].map(([product, list]) => [product, list.map(nonSubscription)])),
      entitlements: Object.fromEntries(customer.purchases.flatMap(entitlements)),
    },
  };
}

/** Google sells a subscription in base plans. Webhooks name both as `product:plan`; this answer names them apart. */
function idAndPlan({ store, product }: Purchase): { product: string; plan?: string } {
  const [id = "", plan] = store === "PLAY_STORE" ? product.split(":", 2) : [product];
  return plan === undefined ? { product: id } : { product: id, plan };
}

function subscription(purchase: Purchase): object {
  const { plan } = idAndPlan(purchase);
  return {
    ...bought(purchase),
    ...(plan === undefined ? {} : { product_plan_identifier: plan }),
    auto_resume_date: null,
    billing_issues_detected_at: null,
    expires_date: iso(purchase.expiresAt),
    grace_period_expires_date: null,
    original_purchase_date: iso(purchase.originalPurchasedAt),
    ownership_type: "PURCHASED",
    period_type: purchase.periodType.toLowerCase(),
    refunded_at: iso(purchase.refundedAt),
    unsubscribe_detected_at: iso(purchase.unsubscribedAt),
  };
}

function nonSubscription(purchase: Purchase): object {
  return { id: purchase.transaction.slice(-10), ...bought(purchase) };
}

function bought(purchase: Purchase): object {
  return {
    is_sandbox: purchase.environment === "SANDBOX",
    purchase_date: iso(purchase.purchasedAt),
    store: purchase.store.toLowerCase(),
    store_transaction_id: purchase.transaction,
  };
}

function entitlements(purchase: Purchase): [string, object][] {
  return purchase.entitlements.map((name) => [
    name,
    {
      expires_date: iso(purchase.expiresAt),
      grace_period_expires_date: null,
      product_identifier: purchase.product,
      purchase_date: iso(purchase.purchasedAt),
    },
  ]);
}

function iso(millis: number | undefined): string | null {
  return millis === undefined ? null : new Date(millis).toISOString().replace(/\.\d{3}Z$/, "Z");
}
