import type Stripe from "stripe";
import { byItself, type Context, DAY, HOUR, idOf, now } from "./context.ts";
import { change, emit } from "./events.ts";
import { close, collect } from "./invoice-payments.ts";
import { type NewLine, newInvoice } from "./invoices.ts";
import { periodEnd } from "./periods.ts";
import { alarmName, end, OVER, setStatus } from "./subscription-status.ts";

/** What time does to subscriptions: they renew, leave their trial, resume and end. https://docs.stripe.com/billing/subscriptions/overview */

const TRIAL_NOTICE_DAYS = 3;
/** Renewals' invoices stay drafts for about an hour: https://docs.stripe.com/billing/invoices/subscription#subscription-invoice-lifecycle */
const DRAFT_SECONDS = HOUR;

/** The end of the current period, which all items share. */
export function currentEnd(subscription: Stripe.Subscription): number {
  return subscription.items.data[0]?.current_period_end ?? subscription.created;
}

export function currentStart(subscription: Stripe.Subscription): number {
  return subscription.items.data[0]?.current_period_start ?? subscription.created;
}

export function nextEnd(subscription: Stripe.Subscription, start: number): number {
  const { interval = "month", interval_count = 1 } = subscription.items.data[0]?.price.recurring ?? {};
  return periodEnd(start, interval as "month", interval_count, subscription.billing_cycle_anchor);
}

export function setPeriod(subscription: Stripe.Subscription, start: number, finish: number): void {
  for (const item of subscription.items.data) {
    item.current_period_start = start;
    item.current_period_end = finish;
  }
}

/** Sets the alarms for whatever comes next. To be called after each change of a subscription's times. */
export function schedule(context: Context, subscription: Stripe.Subscription): void {
  const { alarms } = context.simulator;
  const later = byItself(context);
  alarms.set(alarmName("renew", subscription), currentEnd(subscription), () => renew(later, subscription));
  const { cancel_at, trial_end, pause_collection } = subscription;
  alarms.clear(alarmName("cancel", subscription));
  if (cancel_at !== null && cancel_at < currentEnd(subscription)) {
    alarms.set(alarmName("cancel", subscription), cancel_at, () => end(later, subscription));
  }
  alarms.clear(alarmName("trial", subscription));
  if (subscription.status === "trialing" && trial_end !== null) {
    const notice = trial_end - TRIAL_NOTICE_DAYS * DAY;
    const isTold = notice < now(context) && subscription.created < now(context);
    if (!isTold) {
      alarms.set(alarmName("trial", subscription), Math.max(now(context), notice), () =>
        emit(later, "customer.subscription.trial_will_end", subscription),
      );
    }
  }
  alarms.clear(alarmName("resume", subscription));
  const resumes = pause_collection?.resumes_at ?? null;
  if (resumes !== null) {
    alarms.set(alarmName("resume", subscription), resumes, () => {
      change(
        later,
        subscription,
        (changed) => {
          changed.pause_collection = null;
        },
        "customer.subscription.updated",
      );
    });
  }
}

/** The lines of a whole period. */
export function periodLines(subscription: Stripe.Subscription): NewLine[] {
  return subscription.items.data.map((item) => ({
    amount: (item.price.unit_amount ?? 0) * (item.quantity ?? 1),
    description: `${item.quantity ?? 1} × ${idOf(item.price.product) ?? "subscription"}`,
    period: { start: item.current_period_start, end: item.current_period_end },
    price: item.price,
    quantity: item.quantity ?? 1,
    item,
  }));
}

/** The next period begins, or the subscription ends. */
function renew(context: Context, subscription: Stripe.Subscription): void {
  if (OVER.has(subscription.status) || subscription.status === "paused") return;
  const { cancel_at_period_end, cancel_at } = subscription;
  if (cancel_at_period_end || (cancel_at !== null && cancel_at <= now(context))) {
    end(context, subscription);
    return;
  }
  const wasTrialing = subscription.status === "trialing";
  if (wasTrialing && !hasMethod(context, subscription) && !endTrialWithoutMethod(context, subscription)) return;
  const start = currentEnd(subscription);
  change(
    context,
    subscription,
    (changed) => {
      if (wasTrialing) changed.billing_cycle_anchor = start;
      setPeriod(changed, start, nextEnd(changed, start));
      if (wasTrialing) changed.status = "active";
      billPeriod(context, changed);
    },
    "customer.subscription.updated",
  );
  schedule(context, subscription);
}

/** A draft at first. Those of a subscription that is unpaid or whose collection is paused are not collected. */
function billPeriod(context: Context, subscription: Stripe.Subscription): void {
  const behavior = subscription.pause_collection?.behavior;
  const isHeld = behavior !== undefined || subscription.status === "unpaid";
  const invoice = newInvoice(context, {
    customer: idOf(subscription.customer) ?? "",
    currency: subscription.currency,
    reason: "subscription_cycle",
    subscription,
    lines: periodLines(subscription),
    period: { start: currentStart(subscription), end: currentEnd(subscription) },
    autoAdvance: !isHeld,
    collection: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
  });
  if (behavior === "void" || behavior === "mark_uncollectible") {
    invoice.status = "open";
    close(context, invoice, behavior === "void" ? "void" : "uncollectible");
  } else if (!isHeld) {
    const at = now(context) + DRAFT_SECONDS;
    invoice.automatically_finalizes_at = at;
    context.simulator.alarms.set(`finalize ${invoice.id}`, at, () => {
      if (invoice.status === "draft") collect(context, invoice);
    });
  }
}

function hasMethod(context: Context, subscription: Stripe.Subscription): boolean {
  const customer = context.simulator.store.find("customer", idOf(subscription.customer) ?? "", context.account);
  return subscription.default_payment_method !== null || Boolean(customer?.invoice_settings.default_payment_method);
}

/** Whether it goes on all the same, to find out that nobody pays. */
function endTrialWithoutMethod(context: Context, subscription: Stripe.Subscription): boolean {
  const behavior = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (behavior === "cancel") end(context, subscription);
  if (behavior === "pause") setStatus(context, subscription, "paused", "customer.subscription.paused");
  return behavior !== "cancel" && behavior !== "pause";
}
