import type Stripe from "stripe";
import { type Context, get, idOf, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { change } from "./events.ts";
import { collect } from "./invoice-payments.ts";
import { type NewLine, newInvoice, newInvoiceItem } from "./invoices.ts";
import { planOf } from "./prices.ts";
import { currentEnd, currentStart, nextEnd, periodLines, schedule, setPeriod } from "./renewals.ts";
import { end, OVER } from "./subscription-status.ts";
import { newItem } from "./subscriptions.ts";

/** Upgrades, downgrades and ends: https://docs.stripe.com/billing/subscriptions/change, …/prorations, …/cancel */

export type Proration = "always_invoice" | "create_prorations" | "none";

export interface ItemChange {
  readonly id?: string | undefined;
  readonly price?: Stripe.Price | undefined;
  readonly quantity?: number | undefined;
  readonly isDeleted?: boolean | undefined;
}

interface Held {
  readonly item: Stripe.SubscriptionItem;
  readonly price: Stripe.Price;
  readonly quantity: number;
}

/**
 * Changes what is subscribed to. What was paid for and not used is credited, what is used now is billed for the rest of the period:
 * with the next invoice, or at once for `always_invoice`. A change of the interval begins a new period at once.
 */
export function changeItems(
  context: Context,
  subscription: Stripe.Subscription,
  changes: readonly ItemChange[],
  proration: Proration,
): void {
  const before = held(subscription);
  const oldInterval = intervalOf(subscription);
  const rest = { start: now(context), end: currentEnd(subscription) };
  const part = share(subscription, rest.start);
  change(
    context,
    subscription,
    (changed) => {
      for (const wanted of changes) applyChange(context, changed, wanted);
    },
    "customer.subscription.updated",
  );
  if (subscription.items.data.length === 0) throw invalid("A subscription must have at least one active item.");
  if (subscription.status === "trialing") {
    schedule(context, subscription);
    return;
  }
  const isNewInterval = oldInterval !== intervalOf(subscription);
  const lines = proration === "none" ? [] : prorations(before, isNewInterval ? [] : held(subscription), part, rest);
  for (const line of lines) {
    newInvoiceItem(context, idOf(subscription.customer) ?? "", {
      ...line,
      currency: subscription.currency,
      subscription: subscription.id,
    });
  }
  if (isNewInterval) restart(context, subscription);
  else if (proration === "always_invoice" && lines.length > 0) billNow(context, subscription, []);
  schedule(context, subscription);
}

/** Begins a new period now and bills it. */
export function restart(context: Context, subscription: Stripe.Subscription): void {
  change(
    context,
    subscription,
    (changed) => {
      changed.billing_cycle_anchor = now(context);
      setPeriod(changed, now(context), nextEnd(changed, now(context)));
    },
    "customer.subscription.updated",
  );
  billNow(context, subscription, periodLines(subscription));
}

/** Ends it at once. What is left of the period is credited only on demand. */
export function cancelNow(
  context: Context,
  subscription: Stripe.Subscription,
  { isProrating = false, isInvoicing = false } = {},
): Stripe.Subscription {
  if (OVER.has(subscription.status))
    throw invalid(`No such subscription: '${subscription.id}'`, { code: "resource_missing", param: "id" });
  if (isProrating && subscription.status === "active") {
    const rest = { start: now(context), end: currentEnd(subscription) };
    for (const line of prorations(held(subscription), [], share(subscription, rest.start), rest)) {
      newInvoiceItem(context, idOf(subscription.customer) ?? "", {
        ...line,
        currency: subscription.currency,
        subscription: subscription.id,
      });
    }
  }
  if (isInvoicing) billNow(context, subscription, []);
  end(context, subscription);
  stopCollecting(context, subscription);
  return subscription;
}

function billNow(context: Context, subscription: Stripe.Subscription, lines: readonly NewLine[]): void {
  const invoice = newInvoice(context, {
    customer: idOf(subscription.customer) ?? "",
    currency: subscription.currency,
    reason: "subscription_update",
    subscription,
    lines,
    period: { start: currentStart(subscription), end: currentEnd(subscription) },
    collection: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
  });
  collect(context, invoice);
}

/** Nobody is asked for money for what has ended. */
function stopCollecting(context: Context, subscription: Stripe.Subscription): void {
  const invoice = context.simulator.store.find("invoice", idOf(subscription.latest_invoice) ?? "", context.account);
  if (invoice === undefined || invoice.status === "paid") return;
  invoice.auto_advance = false;
  invoice.next_payment_attempt = null;
  context.simulator.alarms.clear(`retry ${invoice.id}`);
  context.simulator.alarms.clear(`finalize ${invoice.id}`);
}

function held(subscription: Stripe.Subscription): Held[] {
  return subscription.items.data.map((item) => ({ item, price: item.price, quantity: item.quantity ?? 1 }));
}

/** How much of the period is left, from 0 to 1. */
function share(subscription: Stripe.Subscription, time: number): number {
  const start = currentStart(subscription);
  const finish = currentEnd(subscription);
  return finish === start ? 0 : Math.max(0, Math.min(1, (finish - time) / (finish - start)));
}

function prorations(
  before: readonly Held[],
  after: readonly Held[],
  part: number,
  period: { start: number; end: number },
): NewLine[] {
  const same = (a: Held, b: Held) => a.item.id === b.item.id && a.price.id === b.price.id && a.quantity === b.quantity;
  const gone = before.filter((one) => !after.some((other) => same(one, other)));
  const come = after.filter((one) => !before.some((other) => same(one, other)));
  const line = ({ item, price, quantity }: Held, sign: 1 | -1): NewLine => ({
    amount: sign * Math.round((price.unit_amount ?? 0) * quantity * part),
    description: `${sign < 0 ? "Unused" : "Remaining"} time on ${quantity} × ${idOf(price.product) ?? ""}`,
    period,
    price,
    quantity,
    item,
    isProration: true,
  });
  return [...gone.map((one) => line(one, -1)), ...come.map((one) => line(one, 1))].filter(({ amount }) => amount !== 0);
}

function applyChange(
  context: Context,
  subscription: Stripe.Subscription,
  { id, price, quantity, isDeleted }: ItemChange,
): void {
  if (id === undefined) {
    addItem(context, subscription, price, quantity ?? 1);
    return;
  }
  const item = subscription.items.data.find((candidate) => candidate.id === id);
  if (item === undefined)
    throw invalid(`No such subscription_item: '${id}'`, { code: "resource_missing", param: "items[0][id]" });
  if (isDeleted === true) {
    subscription.items.data = subscription.items.data.filter((candidate) => candidate !== item);
    context.simulator.store.remove("subscription_item", id);
    return;
  }
  if (price !== undefined) {
    checkPrice(subscription, price);
    item.price = price;
    item.plan = planOf(price);
  }
  if (quantity !== undefined) item.quantity = quantity;
}

function addItem(
  context: Context,
  subscription: Stripe.Subscription,
  price: Stripe.Price | undefined,
  quantity: number,
): void {
  if (price === undefined)
    throw invalid("Missing required param: items[0][price].", { code: "parameter_missing", param: "items[0][price]" });
  checkPrice(subscription, price);
  const period = { start: currentStart(subscription), end: currentEnd(subscription) };
  subscription.items.data.push(
    keep(context, "subscription_item", newItem(subscription.id, price, quantity, period, now(context))),
  );
}

function checkPrice(subscription: Stripe.Subscription, price: Stripe.Price): void {
  if (price.recurring === null)
    throw invalid("Subscriptions take recurring prices only.", { param: "items[0][price]" });
  if (price.currency !== subscription.currency) {
    throw invalid(
      `The price specified has another currency (${price.currency}) than the subscription (${subscription.currency}).`,
      { param: "items[0][price]" },
    );
  }
}

function intervalOf(subscription: Stripe.Subscription): string {
  const { interval, interval_count } = subscription.items.data[0]?.price.recurring ?? {};
  return `${interval_count} ${interval}`;
}

/** An item's subscription. */
export function subscriptionOfItem(context: Context, id: string): Stripe.Subscription {
  return get(context, "subscription", get(context, "subscription_item", id).subscription);
}
