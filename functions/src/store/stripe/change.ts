import type Stripe from "stripe";
import type * as z from "zod";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure, invalidInput } from "../../platform/failure.ts";
import { deterministicId } from "../../platform/ids.ts";
import { ask } from "./ask.ts";
import type { ChangedSubscription, SubscriptionRequest } from "./contract.ts";
import { customerOf } from "./customer.ts";
import { subscriptionPrice } from "./price.ts";
import { saleOf } from "./sale.ts";
import { willRenew } from "./subscription.ts";

/** Changes of subscriptions: https://docs.stripe.com/billing/subscriptions/change */

const MAX_SUBSCRIPTIONS = 100;
const OVER: ReadonlySet<string> = new Set(["canceled", "incomplete", "incomplete_expired"]);
const DAYS = { day: 1, week: 7, month: 30.44, year: 365.25 } as const;

type Request = z.output<typeof SubscriptionRequest>;

interface Planned {
  /** One after the other. */
  readonly updates: readonly Stripe.SubscriptionUpdateParams[];
  readonly takesEffect: "now" | "period-end";
}

/**
 * Changes the caller's subscription. Each change says what shall be, so that one that is asked for again finds it done. What it means for
 * entitlements comes by webhook.
 *
 * To what is dearer a day it switches at once, and what is left of the period is charged right now; if that fails, nothing changes. To
 * what is not, it switches without a charge, and the period that was paid for stays what it was: its entitlements follow from its
 * invoice. To another interval that is cheaper it cannot be switched, for that would end the period: that is refused.
 *
 * Refuses `unknown-subscription`, `unchangeable-subscription`, what {@link saleOf} does, `stripe-refused` (the card was declined, or its
 * bank wants to ask the holder, for which there is the portal), `stripe-unavailable`. Bill: 1 read.
 */
export async function changeSubscription(caller: Caller, request: Request): Promise<ChangedSubscription> {
  const subscription = await subscriptionOfCaller(caller, request.subscription);
  const planned = await plan(subscription, request);
  const changed = planned && (await update(caller, subscription, { key: request.key, updates: planned.updates }));
  const { id, status, items } = changed ?? subscription;
  const [item] = items.data;
  return {
    subscription: id,
    product: item?.price.metadata.product ?? "",
    status,
    takesEffect: planned?.takesEffect ?? "now",
    periodEndsAt: (item?.current_period_end ?? 0) * 1_000,
    willRenew: willRenew(changed ?? subscription),
  };
}

async function update(
  caller: Caller,
  { id }: Stripe.Subscription,
  { key, updates }: { key: string; updates: Planned["updates"] },
): Promise<Stripe.Subscription | undefined> {
  let changed: Stripe.Subscription | undefined;
  for (const params of updates) {
    const idempotencyKey = deterministicId("subscription", caller.uid, key, JSON.stringify(params));
    changed = await ask((client) => client.subscriptions.update(id, params, { idempotencyKey }));
  }
  return changed;
}

/** Whose it is follows from the customer, and no id that a caller names opens another's. */
async function subscriptionOfCaller(caller: Caller, wanted: string | undefined): Promise<Stripe.Subscription> {
  const customer = await customerOf(caller.uid);
  const all = await ask((client) =>
    client.subscriptions.list({ customer, status: "all", limit: 100 }).autoPagingToArray({ limit: MAX_SUBSCRIPTIONS }),
  );
  const going = all.filter(({ status, metadata }) => !OVER.has(status) && metadata.order !== undefined);
  const chosen = wanted === undefined ? going : going.filter(({ id }) => id === wanted);
  const [subscription] = chosen;
  if (subscription && chosen.length === 1) return subscription;
  throw new Failure("not-found", "You have no such subscription, or several.", { reason: "unknown-subscription" });
}

/** Undefined if it is so already. */
async function plan(subscription: Stripe.Subscription, request: Request): Promise<Planned | undefined> {
  const { cancel_at_period_end, pause_collection, cancel_at } = subscription;
  switch (request.change) {
    case "switch":
      return await switchTo(subscription, request.product);
    case "cancel":
      return cancel_at_period_end
        ? undefined
        : { updates: [{ cancel_at_period_end: true }], takesEffect: "period-end" };
    case "pause":
      return pause_collection
        ? undefined
        : { updates: [{ pause_collection: { behavior: "void" } }], takesEffect: "period-end" };
    case "resume":
      return !cancel_at_period_end && !pause_collection && cancel_at === null
        ? undefined
        : { updates: [{ cancel_at_period_end: false, pause_collection: "" }], takesEffect: "now" };
  }
}

async function switchTo(subscription: Stripe.Subscription, product: string | undefined): Promise<Planned | undefined> {
  if (product === undefined) throw invalidInput("product", "must be given to switch to");
  const [item] = subscription.items.data;
  if (!item || subscription.items.data.length > 1 || subscription.pause_collection) throw unchangeable();
  const currency = subscription.currency.toUpperCase();
  const { listed, amount } = await saleOf({ product, count: 1, currency });
  const price = await subscriptionPrice(product, listed, currency);
  if (item.price.id === price) return undefined;
  const { interval = "month", count = 1 } = listed.subscription ?? {};
  const paid = await paidPrice(subscription, item);
  const without = (other: string): Stripe.SubscriptionUpdateParams => ({
    items: [{ id: item.id, price: other }],
    proration_behavior: "none",
    metadata: { paidPrice: paid.id, paidUntil: String(item.current_period_end) },
  });
  if (amount / (DAYS[interval] * count) > perDay(paid)) {
    // What is credited for the rest of the period is what was paid for it.
    const back = paid.id === item.price.id ? [] : [without(paid.id)];
    const dearer: Stripe.SubscriptionUpdateParams = {
      items: [{ id: item.id, price }],
      proration_behavior: "always_invoice",
      payment_behavior: "error_if_incomplete",
    };
    return { updates: [...back, dearer], takesEffect: "now" };
  }
  const before = item.price.recurring;
  if (before?.interval !== interval || before.interval_count !== count) throw unchangeable();
  return { updates: [without(price)], takesEffect: paid.id === price ? "now" : "period-end" };
}

/** The price at which the present period was paid: not the item's, if it has been switched to something cheaper since. */
async function paidPrice(
  { metadata: { paidPrice: id, paidUntil } }: Stripe.Subscription,
  { price, current_period_end }: Stripe.SubscriptionItem,
): Promise<Stripe.Price> {
  const isNoted = id !== undefined && id !== price.id && paidUntil === String(current_period_end);
  return isNoted ? await ask((client) => client.prices.retrieve(id)) : price;
}

function perDay({ unit_amount, recurring }: Stripe.Price): number {
  const interval = recurring?.interval ?? "month";
  const days = Object.hasOwn(DAYS, interval) ? DAYS[interval as keyof typeof DAYS] : DAYS.month;
  return (unit_amount ?? 0) / (days * (recurring?.interval_count ?? 1));
}

function unchangeable(): Failure {
  return new Failure("failed-precondition", "The subscription cannot be changed like this.", {
    reason: "unchangeable-subscription",
  });
}
