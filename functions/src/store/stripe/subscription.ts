import type Stripe from "stripe";
import { config } from "../../platform/config.ts";
import type { Transaction } from "../../platform/firestore.ts";
import type { Outcome } from "../../platform/webhooks.ts";
import { hear } from "../hear.ts";
import { type News, purchaseId } from "../purchase.ts";
import { ask } from "./ask.ts";
import { orderOf } from "./invoice.ts";
import { environmentOf, STORE } from "./payment.ts";
import { periodOf } from "./period.ts";

const DAY_MILLIS = 86_400_000;
/** Newest first; what was added by hand pays for no period and is passed over. */
const MAX_INVOICES = 10;

/** A subscription as Stripe has it, and the last period of it that was paid. */
export interface SubscriptionState {
  readonly asOf: number;
  readonly subscription: Stripe.Subscription;
  /** Absent: nothing has been paid yet. */
  readonly last?: { readonly invoice: string; readonly end: number };
}

/** Asks which period of a subscription was paid last. */
export async function lookAtLast(subscription: Stripe.Subscription, asOf: number): Promise<SubscriptionState> {
  const { data } = await ask((client) =>
    client.invoices.list({ subscription: subscription.id, status: "paid", limit: MAX_INVOICES }),
  );
  const [last] = data.flatMap((invoice) => {
    const period = periodOf(invoice);
    return period ? [{ invoice: invoice.id, end: period.end }] : [];
  });
  return { asOf, subscription, ...(last ? { last } : {}) };
}

/** Tells the purchase of the last period that was paid how the subscription stands, as part of a Firestore transaction. */
export async function settleSubscription(tx: Transaction, state: SubscriptionState): Promise<Outcome> {
  const { subscription, last } = state;
  if (!(await orderOf(tx, subscription))) return { result: "ignored", reason: "unknown-order" };
  if (!last) return { result: "ignored", reason: "nothing-paid" };
  const id = purchaseId({ environment: environmentOf(subscription), store: STORE, transaction: last.invoice });
  const outcome = await hear(tx, id, newsOf(state, last.end));
  return { ...outcome, subscription: subscription.id };
}

/**
 * What a state means. Paused or off, it holds for what was paid; while a renewal cannot be charged, some days longer; and once Stripe has
 * given up, not at all. Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
 */
function newsOf({ subscription, asOf }: SubscriptionState, end: number): News {
  const { status, ended_at } = subscription;
  if (ended_at !== null) return { kind: "ended", at: ended_at * 1_000 };
  if (status === "unpaid") return { kind: "ended", at: asOf };
  if (!willRenew(subscription)) return { kind: "renewalOff", at: asOf };
  if (status === "past_due") {
    return { kind: "graced", at: asOf, until: end + config.subscriptionGraceDays.value() * DAY_MILLIS };
  }
  return { kind: "renewalOn", at: asOf };
}

export function willRenew({ status, cancel_at_period_end, cancel_at, pause_collection }: Stripe.Subscription): boolean {
  return !cancel_at_period_end && cancel_at === null && pause_collection === null && status !== "paused";
}
