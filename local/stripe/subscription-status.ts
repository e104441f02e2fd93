import type Stripe from "stripe";
import { type Context, HOUR, now } from "./context.ts";
import { change, type EventType } from "./events.ts";

/** What state a subscription is in: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses */

export const OVER: ReadonlySet<string> = new Set(["canceled", "incomplete_expired"]);
/** "23 hours": https://docs.stripe.com/billing/subscriptions/overview#requires-payment-method */
export const FIRST_PAYMENT_SECONDS = 23 * HOUR;

/** Its alarms, by what they are for. */
export function alarmName(
  purpose: "renew" | "trial" | "expire" | "cancel" | "resume",
  subscription: Stripe.Subscription,
): string {
  return `${purpose} ${subscription.id}`;
}

export function setStatus(
  context: Context,
  subscription: Stripe.Subscription,
  status: Stripe.Subscription.Status,
  ...types: EventType[]
): void {
  if (subscription.status === status) return;
  change(
    context,
    subscription,
    (changed) => {
      changed.status = status;
    },
    "customer.subscription.updated",
    ...types,
  );
}

/** An invoice of it was paid: it goes on. */
export function paid(context: Context, subscription: Stripe.Subscription): void {
  if (["incomplete", "past_due", "unpaid"].includes(subscription.status)) {
    context.simulator.alarms.clear(alarmName("expire", subscription));
    setStatus(context, subscription, "active");
  }
}

/** A renewal could not be paid. The first payment is another matter: it stays incomplete. */
export function unpaid(context: Context, subscription: Stripe.Subscription): void {
  if (subscription.status === "active" || subscription.status === "trialing")
    setStatus(context, subscription, "past_due");
}

/** Ends it for good. */
export function end(
  context: Context,
  subscription: Stripe.Subscription,
  reason: "cancellation_requested" | "payment_failed" = "cancellation_requested",
): void {
  if (OVER.has(subscription.status)) return;
  for (const purpose of ["renew", "trial", "expire", "cancel", "resume"] as const) {
    context.simulator.alarms.clear(alarmName(purpose, subscription));
  }
  change(
    context,
    subscription,
    (changed) => {
      changed.status = "canceled";
      changed.canceled_at ??= now(context);
      changed.ended_at = now(context);
      changed.cancellation_details = {
        comment: changed.cancellation_details?.comment ?? null,
        feedback: changed.cancellation_details?.feedback ?? null,
        feedback_option: null,
        reason,
      };
    },
    "customer.subscription.deleted",
  );
}
