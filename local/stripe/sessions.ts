import type Stripe from "stripe";
import { byItself, type Cart, type Context, get, idOf, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { change } from "./events.ts";
import { newId, randomText } from "./ids.ts";
import { cancelIntent } from "./payments.ts";

/** Checkout sessions while nobody has paid: https://docs.stripe.com/api/checkout/sessions/object */

export interface NewSession {
  readonly mode: "payment" | "setup" | "subscription";
  readonly cart: Cart;
  readonly cancelUrl: string | null;
  readonly successUrl: string | null;
  readonly clientReference: string | null;
  readonly currency: string | null;
  readonly customer: string | null;
  readonly customerCreation: "always" | "if_required";
  readonly customerEmail: string | null;
  readonly expiresAt: number;
  readonly metadata: Record<string, string>;
  readonly methodTypes: string[] | undefined;
}

export function newSession(context: Context, given: NewSession): Stripe.Checkout.Session {
  const id = `cs_test_${randomText(58)}`;
  const sum = given.cart.items.reduce((total, item) => total + item.amount_total, 0);
  const session: Stripe.Checkout.Session = {
    id,
    object: "checkout.session",
    adaptive_pricing: null,
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: given.methodTypes ?? null,
    amount_subtotal: given.mode === "setup" ? null : sum,
    amount_total: given.mode === "setup" ? null : sum,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: given.cancelUrl,
    client_reference_id: given.clientReference,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: now(context),
    currency: given.currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: given.customer,
    customer_account: null,
    customer_creation: given.mode === "payment" && given.customer === null ? given.customerCreation : null,
    customer_details: given.customerEmail === null ? null : detailsOf({ email: given.customerEmail }),
    customer_email: given.customerEmail,
    discounts: [],
    expires_at: given.expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: given.metadata,
    mode: given.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: given.mode === "subscription" ? "always" : "if_required",
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: given.methodTypes ?? ["card"],
    payment_status: given.mode === "setup" || sum === 0 ? "no_payment_required" : "unpaid",
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: "open",
    submit_type: null,
    subscription: null,
    success_url: given.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: "hosted_page",
    url: `${context.simulator.origin()}/c/pay/${id}`,
    wallet_options: null,
  };
  context.simulator.carts.set(id, given.cart);
  keep(context, "checkout.session", session);
  const later = byItself(context);
  context.simulator.alarms.set(`checkout ${id}`, given.expiresAt, () => {
    if (session.status === "open") expire(later, session);
  });
  return session;
}

/** Throws StripeError unless it is open. */
export function expire(context: Context, session: Stripe.Checkout.Session): Stripe.Checkout.Session {
  if (session.status !== "open") {
    throw invalid(
      `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
    );
  }
  context.simulator.alarms.clear(`checkout ${session.id}`);
  // Nobody pays any more, not even who is at their bank's page just now.
  const intent = idOf(session.payment_intent);
  if (intent !== undefined) cancelIntent(context, get(context, "payment_intent", intent), "abandoned");
  return change(
    context,
    session,
    (changed) => {
      changed.status = "expired";
      changed.url = null;
    },
    "checkout.session.expired",
  );
}

export function detailsOf({
  email,
  name = null,
}: {
  email: string;
  name?: string | null;
}): Stripe.Checkout.Session.CustomerDetails {
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name,
    phone: null,
    tax_exempt: "none",
    tax_ids: [],
  };
}

/** What a line of a cart is. */
export function lineItem(price: Stripe.Price, quantity: number, description: string): Stripe.LineItem {
  const amount = (price.unit_amount ?? 0) * quantity;
  return {
    id: newId("li"),
    object: "item",
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description,
    metadata: {},
    price,
    quantity,
  };
}
