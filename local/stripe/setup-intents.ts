import type Stripe from "stripe";
import { type Context, get, idOf, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId, randomText } from "./ids.ts";
import { attach } from "./payment-methods.ts";

/** Payment methods that are kept for later: https://docs.stripe.com/api/setup_intents */

export interface NewSetupIntent {
  readonly customer: string | null;
  readonly description: string | null;
  readonly isAutomatic: boolean;
  readonly metadata: Record<string, string>;
  readonly method: string | null;
  readonly methodTypes: string[];
  readonly usage: string;
}

export function newSetupIntent(context: Context, given: NewSetupIntent): Stripe.SetupIntent {
  const setup: Stripe.SetupIntent = {
    id: newId("seti"),
    object: "setup_intent",
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: given.isAutomatic ? { allow_redirects: "always", enabled: true } : null,
    cancellation_reason: null,
    client_secret: null,
    created: now(context),
    customer: given.customer,
    customer_account: null,
    description: given.description,
    excluded_payment_method_types: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: given.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: given.method,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: given.methodTypes,
    single_use_mandate: null,
    status: given.method === null ? "requires_payment_method" : "requires_confirmation",
    usage: given.usage,
  };
  setup.client_secret = `${setup.id}_secret_${randomText(25)}`;
  keep(context, "setup_intent", setup);
  emit(context, "setup_intent.created", setup);
  return setup;
}

/** Keeps the payment method for the customer; authentication is taken for granted. Throws StripeError if there is none, or it is declined. */
export function confirmSetup(context: Context, setup: Stripe.SetupIntent): Stripe.SetupIntent {
  const method = idOf(setup.payment_method);
  const customer = idOf(setup.customer);
  if (method === undefined || setup.status === "succeeded" || setup.status === "canceled") {
    throw invalid("You cannot confirm this SetupIntent: it has no payment method, or is over.", {
      code: "setup_intent_unexpected_state",
    });
  }
  if (customer !== undefined) attach(context, get(context, "payment_method", method), customer);
  return change(
    context,
    setup,
    (changed) => {
      changed.status = "succeeded";
    },
    "setup_intent.succeeded",
  );
}
