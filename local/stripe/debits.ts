import type Stripe from "stripe";
import type { TestCard } from "./cards.ts";
import { afterCharge, capture, newCharge } from "./charges.ts";
import { byItself, type Context, DAY, now } from "./context.ts";
import { change, emit } from "./events.ts";
import { fail, finish, follow } from "./outcomes.ts";

/** Payments by bank debit, of which it takes days to know: https://docs.stripe.com/payments/ach-direct-debit */

/** A bank debit takes days to go through, or not. */
export function processDebit(
  context: Context,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  behavior: TestCard,
): Stripe.PaymentIntent {
  const charge = newCharge(context, { intent, method, status: "pending", isAuthenticated: false });
  emit(context, "charge.pending", charge);
  change(
    context,
    intent,
    (changed) => {
      changed.status = "processing";
      changed.latest_charge = charge.id;
    },
    "payment_intent.processing",
  );
  const later = byItself(context);
  context.simulator.alarms.set(`debit ${intent.id}`, now(context) + context.simulator.settings.debitDays * DAY, () => {
    if (intent.status === "processing") settleDebit(later, intent, method, charge, behavior);
  });
  follow(context, intent);
  return intent;
}

function settleDebit(
  context: Context,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  charge: Stripe.Charge,
  { decline: why }: TestCard,
): void {
  if (why === undefined) {
    change(context, charge, (changed) => capture(context, changed, intent, intent.amount), "charge.succeeded");
    finish(context, intent, charge, intent.amount);
    afterCharge(context, charge);
    return;
  }
  change(
    context,
    charge,
    (changed) => {
      changed.status = "failed";
      changed.paid = false;
      changed.failure_code = why.declineCode ?? why.code;
      changed.failure_message = why.message;
    },
    "charge.failed",
  );
  fail(context, intent, method, charge, why);
}
