import type Stripe from "stripe";
import type { Decline, TestCard } from "./cards.ts";
import { afterCharge, capture, latestCharge, newCharge, release } from "./charges.ts";
import { byItself, type Context, DAY, get, idOf, now } from "./context.ts";
import { processDebit } from "./debits.ts";
import { invalid, StripeError } from "./errors.ts";
import { change, emit } from "./events.ts";
import { decline, finish, follow, unexpected } from "./outcomes.ts";
import { attach, behaviorOfMethod } from "./payment-methods.ts";

/** A payment from its first try to its end: https://docs.stripe.com/payments/paymentintents/lifecycle */

export interface Confirmation {
  /** The customer is not there to authenticate. */
  readonly isOffSession?: boolean;
  readonly returnUrl?: string | null;
  /** The customer has authenticated just now. */
  readonly isAuthenticated?: boolean;
}

const CANCELABLE = new Set([
  "requires_payment_method",
  "requires_capture",
  "requires_confirmation",
  "requires_action",
  "processing",
]);
const CONFIRMABLE = new Set(["requires_payment_method", "requires_confirmation", "requires_action"]);
const HOLD_DAYS = 7;

/**
 * Tries to take the money. Throws StripeError `card_declined` and its like after having noted the failure; the intent can then be
 * confirmed once more with another payment method.
 */
export function confirm(
  context: Context,
  intent: Stripe.PaymentIntent,
  confirmation: Confirmation = {},
): Stripe.PaymentIntent {
  checkConfirmable(intent);
  const method = get(context, "payment_method", idOf(intent.payment_method) ?? "", "payment_method");
  const behavior = behaviorOfMethod(context, method.id);
  intent.last_payment_error = null;
  if (needsAuthentication(method, behavior, confirmation)) {
    if (confirmation.isOffSession === true) throw decline(context, intent, method, AUTHENTICATION, false);
    return askForAuthentication(context, intent, confirmation.returnUrl ?? null);
  }
  intent.next_action = null;
  if (behavior.debit !== undefined) return processDebit(context, intent, method, behavior);
  const isAuthenticated = confirmation.isAuthenticated === true;
  if (behavior.decline !== undefined) throw decline(context, intent, method, behavior.decline, isAuthenticated);
  return succeed(context, intent, method, isAuthenticated);
}

/** The customer has, or has not, said to their bank that it is they. Declines are noted, not thrown. */
export function authenticate(context: Context, intent: Stripe.PaymentIntent, isSuccessful: boolean): void {
  if (intent.status !== "requires_action") throw invalid("This payment does not wait for authentication.");
  const method = get(context, "payment_method", idOf(intent.payment_method) ?? "");
  try {
    if (isSuccessful) confirm(context, intent, { isAuthenticated: true });
    else throw decline(context, intent, method, NOT_AUTHENTICATED, false);
  } catch (error) {
    if (!(error instanceof StripeError) || error.type !== "card_error") throw error;
  }
}

/** Takes what was authorized, or less of it; the rest is let go. */
export function captureIntent(
  context: Context,
  intent: Stripe.PaymentIntent,
  wanted: number | undefined,
  fee?: number,
): Stripe.PaymentIntent {
  const charge = latestCharge(context, intent);
  if (intent.status !== "requires_capture" || charge === undefined) {
    throw unexpected(intent, "This PaymentIntent could not be captured because it has a status of");
  }
  const amount = wanted ?? intent.amount_capturable;
  if (amount > intent.amount_capturable) {
    throw invalid(
      `The provided capture amount (${amount}) is greater than the authorized amount (${intent.amount_capturable}).`,
      { code: "amount_too_large", param: "amount_to_capture" },
    );
  }
  context.simulator.alarms.clear(`hold ${intent.id}`);
  if (fee !== undefined) intent.application_fee_amount = fee;
  change(context, charge, (changed) => capture(context, changed, intent, amount), "charge.captured");
  finish(context, intent, charge, amount);
  afterCharge(context, charge);
  return intent;
}

export function cancelIntent(
  context: Context,
  intent: Stripe.PaymentIntent,
  reason: Stripe.PaymentIntent.CancellationReason | null,
): Stripe.PaymentIntent {
  if (!CANCELABLE.has(intent.status))
    throw unexpected(intent, "You cannot cancel this PaymentIntent because it has a status of");
  const { alarms } = context.simulator;
  alarms.clear(`hold ${intent.id}`);
  alarms.clear(`debit ${intent.id}`);
  const charge = latestCharge(context, intent);
  if (intent.status === "requires_capture" && charge !== undefined) release(context, charge);
  change(
    context,
    intent,
    (changed) => {
      changed.status = "canceled";
      changed.canceled_at = now(context);
      changed.cancellation_reason = reason;
      changed.amount_capturable = 0;
      changed.next_action = null;
    },
    "payment_intent.canceled",
  );
  follow(context, intent);
  return intent;
}

const AUTHENTICATION: Decline = {
  code: "authentication_required",
  declineCode: "authentication_required",
  message: "Your card was declined. This transaction requires authentication.",
};
const NOT_AUTHENTICATED: Decline = {
  code: "authentication_required",
  message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
};

function checkConfirmable(intent: Stripe.PaymentIntent): void {
  if (!CONFIRMABLE.has(intent.status))
    throw unexpected(intent, "This PaymentIntent's status does not allow confirming it:");
  if (intent.payment_method === null) {
    throw invalid(
      "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent with a payment method and then confirm it again.",
      { code: "payment_intent_unexpected_state", intent },
    );
  }
}

/** A card that is set up for it pays off session without its holder; one that always asks does not. */
function needsAuthentication(
  { customer }: Stripe.PaymentMethod,
  { authentication }: TestCard,
  { isAuthenticated, isOffSession }: Confirmation,
): boolean {
  if (isAuthenticated === true || authentication === undefined) return false;
  if (authentication === "always") return true;
  return !(isOffSession === true && customer !== null);
}

function askForAuthentication(
  context: Context,
  intent: Stripe.PaymentIntent,
  returnUrl: string | null,
): Stripe.PaymentIntent {
  const url = `${context.simulator.origin()}/3ds/${intent.id}`;
  change(
    context,
    intent,
    (changed) => {
      changed.status = "requires_action";
      changed.next_action = { type: "redirect_to_url", redirect_to_url: { return_url: returnUrl, url } };
    },
    "payment_intent.requires_action",
  );
  follow(context, intent);
  return intent;
}

function succeed(
  context: Context,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  isAuthenticated: boolean,
): Stripe.PaymentIntent {
  const charge = newCharge(context, { intent, method, status: "succeeded", isAuthenticated });
  intent.latest_charge = charge.id;
  if (intent.setup_future_usage !== null && intent.customer !== null)
    attach(context, method, idOf(intent.customer) ?? "");
  if (intent.capture_method === "manual") return hold(context, intent, charge);
  capture(context, charge, intent, intent.amount);
  emit(context, "charge.succeeded", charge);
  finish(context, intent, charge, intent.amount);
  afterCharge(context, charge);
  return intent;
}

/** Authorized, and let go if nobody captures it within a week. */
function hold(context: Context, intent: Stripe.PaymentIntent, charge: Stripe.Charge): Stripe.PaymentIntent {
  emit(context, "charge.succeeded", charge);
  change(
    context,
    intent,
    (changed) => {
      changed.status = "requires_capture";
      changed.amount_capturable = changed.amount;
    },
    "payment_intent.amount_capturable_updated",
  );
  const later = byItself(context);
  context.simulator.alarms.set(`hold ${intent.id}`, now(context) + HOLD_DAYS * DAY, () => {
    if (intent.status === "requires_capture") cancelIntent(later, intent, "automatic");
  });
  follow(context, intent);
  return intent;
}
