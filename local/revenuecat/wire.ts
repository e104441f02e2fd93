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
  | "UNCANCELLATION"
  | "EXPIRATION"
  | "BILLING_ISSUE"
  | "SUBSCRIPTION_PAUSED"
  | "SUBSCRIPTION_EXTENDED"
  | "PRODUCT_CHANGE"
  | "REFUND_REVERSED";

export interface WebhookBody {
  readonly api_version: "1.0";
  readonly event: { readonly id: string; readonly type: string; readonly [field: string]: unknown };
}

/** The body of the webhook that tells of something that has happened to a purchase. */
export function webhookBody(type: EventType, customer: Customer, purchase: Purchase): WebhookBody {
  const isRefund = type === "CANCELLATION" && purchase.refundedAt !== undefined;
  const isPaid = PAID.has(type);
  const price = isPaid ? purchase.price : isRefund ? -purchase.price : 0;
  return {
    api_version: "1.0",
    event: {
      type,
      id: randomUUID().toUpperCase(),
      app_id: "app1a2b3c4",
      event_timestamp_ms: Date.now(),
      ...customerFields(customer),
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
      renewal_number: purchase.earlier.length + 1,
      ...fieldsOf(type, purchase),
    },
  };
}

const PAID: ReadonlySet<EventType> = new Set([
  "INITIAL_PURCHASE",
  "NON_RENEWING_PURCHASE",
  "RENEWAL",
  "REFUND_REVERSED",
]);

/** RevenueCat's ids of a customer; the last one is what the app is logged in with. */
function customerFields({ id, ids }: Customer): object {
  const all = [...ids];
  return { app_user_id: all.at(-1) ?? id, original_app_user_id: id, aliases: all };
}

/** What only events of one type have. */
function fieldsOf(type: EventType, purchase: Purchase): object {
  switch (type) {
    case "CANCELLATION":
      return {
        cancel_reason: reasonOf(purchase, purchase.refundedAt !== undefined ? "CUSTOMER_SUPPORT" : "UNSUBSCRIBE"),
      };
    case "EXPIRATION":
      return {
        expiration_reason: purchase.resumesAt === undefined ? reasonOf(purchase, "UNSUBSCRIBE") : "SUBSCRIPTION_PAUSED",
      };
    case "BILLING_ISSUE":
      return { grace_period_expiration_at_ms: purchase.graceUntil ?? null };
    case "SUBSCRIPTION_PAUSED":
      return { auto_resume_at_ms: purchase.resumesAt ?? null };
    case "PRODUCT_CHANGE":
      return { new_product_id: purchase.successor ?? null };
    case "RENEWAL":
      return { is_trial_conversion: false };
    default:
      return {};
  }
}

function reasonOf({ billingIssueAt, refundedAt }: Purchase, otherwise: string): string {
  return billingIssueAt !== undefined && refundedAt === undefined ? "BILLING_ERROR" : otherwise;
}

/** The body that tells of a transfer. It names nothing but customers. */
export function transferBody(from: Iterable<string>, to: Iterable<string>): WebhookBody {
  return about("TRANSFER", {
    app_id: "app1a2b3c4",
    store: "APP_STORE",
    environment: "PRODUCTION",
    transferred_from: [...from],
    transferred_to: [...to],
  });
}

export function aliasBody(customer: Customer): WebhookBody {
  return about("SUBSCRIBER_ALIAS", { app_id: "app1a2b3c4", environment: "PRODUCTION", ...customerFields(customer) });
}

/** RevenueCat could not ask the store and believes the app for some hours. */
export function temporaryBody(
  customer: Customer,
  { product, transaction, hours }: { product: string; transaction: string; hours: number },
): WebhookBody {
  const now = Date.now();
  return about("TEMPORARY_ENTITLEMENT_GRANT", {
    app_id: "app1a2b3c4",
    ...customerFields(customer),
    store: "APP_STORE",
    product_id: product,
    entitlement_ids: null,
    transaction_id: transaction,
    purchased_at_ms: now,
    expiration_at_ms: now + hours * 3_600_000,
  });
}

/** A transaction of RevenueCat's own virtual currencies. */
export function currencyBody(
  customer: Customer,
  made: { code: string; amount: number; source: string; product?: string | undefined },
): WebhookBody {
  return about("VIRTUAL_CURRENCY_TRANSACTION", {
    app_id: "app1a2b3c4",
    ...customerFields(customer),
    adjustments: [{ amount: made.amount, currency: { code: made.code, name: made.code, description: "" } }],
    source: made.source,
    product_id: made.product ?? null,
    product_display_name: made.product ?? null,
    purchase_environment: "PRODUCTION",
    store: made.product === undefined ? null : "APP_STORE",
    transaction_id: null,
    virtual_currency_transaction_id: `vatx${randomUUID().replaceAll("-", "").slice(0, 16)}`,
    country_code: "US",
    subscriber_attributes: {},
  });
}

/** What nothing follows from: an invoice, an experiment. */
export function otherBody(type: string, customer: Customer): WebhookBody {
  return about(type, { app_id: "app1a2b3c4", environment: "PRODUCTION", ...customerFields(customer) });
}

function about(type: string, fields: object): WebhookBody {
  return {
    api_version: "1.0",
    event: { type, id: randomUUID().toUpperCase(), event_timestamp_ms: Date.now(), ...fields },
  };
}

/** The body of the webhook that the dashboard's button "send test event" sends. */
export function testBody(): WebhookBody {
  return about("TEST", {});
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

/**
 * What the API v2 answers for a customer's subscriptions and for all periods of one of them, as far as both tell what was paid and
 * what has gone back. Source: https://www.revenuecat.com/docs/api-v2/subscription-transactions
 */
export function subscriptionsAnswer({ id, purchases }: Customer): object {
  const subscriptions = purchases.filter(({ kind }) => kind === "subscription");
  return list(
    subscriptions.map((purchase) => ({
      object: "subscription",
      id: subscriptionId(purchase),
      customer_id: id,
      store: purchase.store.toLowerCase(),
      environment: purchase.environment.toLowerCase(),
      starts_at: purchase.originalPurchasedAt,
      current_period_starts_at: purchase.purchasedAt,
      current_period_ends_at: purchase.expiresAt ?? null,
    })),
  );
}

export function transactionsAnswer(purchase: Purchase): object {
  const { transaction, product, purchasedAt, expiresAt, refundedAt } = purchase;
  const periods = [...purchase.earlier, { transaction, product, purchasedAt, expiresAt, refundedAt }];
  return list(
    periods.map((period) => ({
      object: "subscription_transaction",
      id: period.transaction,
      product_store_identifier: period.product,
      purchased_at: period.purchasedAt,
      expiration_date: period.expiresAt ?? null,
      effective_expiration_date: period.refundedAt ?? period.expiresAt ?? null,
      revenue_in_usd: { currency: "USD", gross: period.refundedAt === undefined ? purchase.price : 0 },
    })),
  );
}

export function subscriptionId({ originalTransaction }: Purchase): string {
  return `sub${originalTransaction}`;
}

function list(items: readonly object[]): object {
  return { object: "list", items, next_page: null };
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
    auto_resume_date: iso(purchase.resumesAt),
    billing_issues_detected_at: iso(purchase.billingIssueAt),
    expires_date: iso(purchase.expiresAt),
    grace_period_expires_date: iso(purchase.graceUntil),
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
    price: { amount: purchase.periodType === "TRIAL" ? 0 : purchase.price, currency: purchase.currency },
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
      grace_period_expires_date: iso(purchase.graceUntil),
      product_identifier: purchase.product,
      purchase_date: iso(purchase.purchasedAt),
    },
  ]);
}

function iso(millis: number | undefined): string | null {
  return millis === undefined ? null : new Date(millis).toISOString().replace(/\.\d{3}Z$/, "Z");
}
