import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { config, secrets } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";
import { log } from "../../platform/log.ts";
import type { PurchaseFact } from "../purchase.ts";
import { isUnpaid, priceOf } from "./fact.ts";

/**
 * What RevenueCat knows of a customer, by its REST API v1.
 * Source: https://www.revenuecat.com/docs/api-v1/customers and /customer-info-model
 */

const TIMEOUT_MILLIS = 5_000;
/** Newest first; a customer with more has had them granted by webhooks long ago. */
const MAX_PURCHASES = 50;

const Moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const Bought = z.looseObject({
  purchase_date: Moment,
  store: z.string(),
  is_sandbox: z.boolean(),
  /** In units of the currency, with a fraction. */
  price: z.looseObject({ amount: z.number(), currency: z.string() }).nullish().catch(undefined),
  store_transaction_id: z.union([z.string(), z.int().transform(String)]).nullish(),
});

const Subscription = Bought.extend({
  expires_date: Moment.nullish(),
  period_type: z.string().nullish(),
  ownership_type: z.string().nullish(),
  refunded_at: Moment.nullish(),
  unsubscribe_detected_at: Moment.nullish(),
  billing_issues_detected_at: Moment.nullish(),
  grace_period_expires_date: Moment.nullish(),
  auto_resume_date: Moment.nullish(),
  /** Google's base plan; webhooks write it behind the product, as `pro:monthly`. */
  product_plan_identifier: z.string().nullish(),
});

/** The purchases are read one by one, so that one that is odd does not keep the others from being granted. */
const Answer = z.looseObject({
  subscriber: z.looseObject({
    original_app_user_id: z.string().nullish(),
    subscriptions: z.record(z.string(), z.unknown()).default({}),
    non_subscriptions: z.record(z.string(), z.array(z.unknown())).default({}),
  }),
});

/** A purchase as RevenueCat lists it: as it was made, and how it stands. Times are milliseconds since the epoch. */
export interface Listed {
  readonly fact: PurchaseFact;
  readonly isSubscription: boolean;
  readonly refundedAt: number | undefined;
  /** Whether its renewal is turned on and can be charged. */
  readonly renews: boolean;
  readonly graceUntil: number | undefined;
  readonly resumesAt: number | undefined;
}

/** What RevenueCat knows of a customer, as of the time at which it was asked. */
export interface Fetched {
  readonly asOf: number;
  /** The id that the customer had first, often an anonymous one. */
  readonly originalId: string | undefined;
  /** Whether everything is listed, or only what is newest. */
  readonly isWhole: boolean;
  /** The latest period of each subscription, and what else was bought; newest first. */
  readonly listed: readonly Listed[];
}

/** Asks for a user's purchases. Throws `revenuecat-unavailable`. */
export async function fetchCustomer(user: string): Promise<Fetched> {
  const asOf = now();
  const { subscriber } = await fetchSubscriber(user);
  const all = [
    ...Object.entries(subscriber.subscriptions).map(([product, bought]) => listedOf(user, product, bought, true)),
    ...Object.entries(subscriber.non_subscriptions).flatMap(([product, list]) =>
      list.map((one) => listedOf(user, product, one, false)),
    ),
  ];
  return {
    asOf,
    originalId: subscriber.original_app_user_id ?? undefined,
    isWhole: all.length <= MAX_PURCHASES,
    listed: all
      .filter((one) => one !== undefined)
      .filter(({ fact }) => fact.environment === "PRODUCTION" || config.grantSandboxPurchases.value())
      .sort((a, b) => b.fact.purchasedAt - a.fact.purchasedAt)
      .slice(0, MAX_PURCHASES),
  };
}

async function fetchSubscriber(user: string): Promise<z.output<typeof Answer>> {
  const url = new URL(`/v1/subscribers/${encodeURIComponent(user)}`, config.revenueCatUrl.value());
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${secrets.revenueCatApiKey.value()}`, accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    });
    if (!response.ok) throw new Error(`RevenueCat answered ${response.status}`);
    return Answer.parse(await response.json());
  } catch (error) {
    log.error("RevenueCat cannot be asked", error);
    throw new Failure("unavailable", "The store cannot be asked right now.", { reason: "revenuecat-unavailable" });
  }
}

/** Undefined for what no store has sold: what an operator gives by hand has no transaction. */
function listedOf(user: string, product: string, listed: unknown, isSubscription: boolean): Listed | undefined {
  const parsed = Subscription.safeParse(listed);
  if (!parsed.success) {
    log.warn("RevenueCat lists a purchase that cannot be read", { product });
    return undefined;
  }
  const bought = parsed.data;
  if (!bought.store_transaction_id) return undefined;
  const plan = bought.product_plan_identifier;
  return {
    fact: {
      user,
      product: plan ? `${product}:${plan}` : product,
      store: bought.store.toUpperCase(),
      environment: bought.is_sandbox ? "SANDBOX" : "PRODUCTION",
      transaction: bought.store_transaction_id,
      purchasedAt: bought.purchase_date,
      expiresAt: bought.expires_date ?? null,
      isFree: isUnpaid(bought.period_type) || bought.ownership_type === "FAMILY_SHARED",
      price: priceOf(bought.price?.amount, bought.price?.currency),
      vendor: "revenuecat",
    },
    isSubscription,
    refundedAt: bought.refunded_at ?? undefined,
    renews: !(bought.unsubscribe_detected_at || bought.billing_issues_detected_at || bought.auto_resume_date),
    graceUntil: bought.grace_period_expires_date ?? undefined,
    resumesAt: bought.auto_resume_date ?? undefined,
  };
}
