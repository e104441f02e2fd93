import type Stripe from "stripe";
import type { Decline } from "./cards.ts";
import { newCharge } from "./charges.ts";
import type { Context } from "./context.ts";
import { invalid, StripeError } from "./errors.ts";
import { change, emit } from "./events.ts";

/** What comes of a try at a payment, noted on its intent and told to whatever waits for it. */

export function finish(context: Context, intent: Stripe.PaymentIntent, charge: Stripe.Charge, amount: number): void {
  change(
    context,
    intent,
    (changed) => {
      changed.status = "succeeded";
      changed.amount_received = amount;
      changed.amount_capturable = 0;
      changed.processing = null;
      changed.latest_charge = charge.id;
      changed.transfer_group ??= charge.transfer_group;
    },
    "payment_intent.succeeded",
  );
  follow(context, intent);
}

/** Notes a failed try, and gives the error to be thrown. */
export function decline(
  context: Context,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  why: Decline,
  isAuthenticated: boolean,
): StripeError {
  const charge = newCharge(context, { intent, method, status: "failed", decline: why, isAuthenticated });
  emit(context, "charge.failed", charge);
  fail(context, intent, method, charge, why);
  const { code, declineCode, message } = why;
  return new StripeError(402, "card_error", message, {
    code,
    charge: charge.id,
    intent: structuredClone(intent),
    paymentMethod: structuredClone(method),
    ...(declineCode === undefined ? {} : { declineCode }),
  });
}

export function fail(
  context: Context,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  charge: Stripe.Charge,
  why: Decline,
): void {
  change(
    context,
    intent,
    (changed) => {
      changed.status = "requires_payment_method";
      changed.latest_charge = charge.id;
      changed.payment_method = null;
      changed.next_action = null;
      changed.processing = null;
      changed.last_payment_error = {
        charge: charge.id,
        code:
          why.code === "authentication_required" && why.declineCode === undefined
            ? "payment_intent_authentication_failure"
            : why.code,
        ...(why.declineCode === undefined ? {} : { decline_code: why.declineCode }),
        doc_url: `https://docs.stripe.com/error-codes#${why.code.replaceAll("_", "-")}`,
        message: why.message,
        payment_method: structuredClone(method),
        type: "card_error",
      };
    },
    "payment_intent.payment_failed",
  );
  follow(context, intent);
}

export function unexpected(intent: Stripe.PaymentIntent, message: string): StripeError {
  return invalid(`${message} ${intent.status}.`, {
    code: "payment_intent_unexpected_state",
    intent: structuredClone(intent),
  });
}

/** Tells whatever waits for this payment. */
export function follow(context: Context, intent: Stripe.PaymentIntent): void {
  for (const follower of context.simulator.intentFollowers) follower(context, intent);
}
