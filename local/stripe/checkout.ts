import type Stripe from "stripe";
import { type Cart, type Context, get, idOf } from "./context.ts";
import { newCustomer } from "./customers.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { fromExtras, newIntent } from "./intents.ts";
import { intentOf, payInvoice } from "./invoice-payments.ts";
import { newMetadata } from "./params.ts";
import { attach, methodOf } from "./payment-methods.ts";
import { confirm } from "./payments.ts";
import { detailsOf } from "./sessions.ts";
import { confirmSetup, newSetupIntent } from "./setup-intents.ts";
import { OVER } from "./subscription-status.ts";
import { newSubscription, trialEndOf } from "./subscriptions.ts";

/** Checkout sessions, from the link to the payment: https://docs.stripe.com/payments/checkout/how-checkout-works */

/** Who pays, and how. */
export interface Payer {
  /** A payment method's id, or a name such as `pm_card_visa`. */
  readonly method: string;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * Somebody pays. The session stays open if they have to authenticate first. Throws StripeError `card_declined` and its like, after which
 * they can try again.
 */
export function pay(context: Context, session: Stripe.Checkout.Session, payer: Payer): Stripe.Checkout.Session {
  if (session.status !== "open")
    throw invalid("This Checkout Session is no longer open.", { code: "checkout_session_closed" });
  const { email = session.customer_email ?? "payer@example.com", name = "Test Payer" } = payer;
  session.customer_details = detailsOf({ email, name });
  const method = methodOf(context, payer.method);
  Object.assign(method.billing_details, { email, name });
  if (session.mode === "setup") return setUp(context, session, method);
  if (session.mode === "payment") return payOnce(context, session, method);
  return subscribe(context, session, method);
}

/** Hears what has become of a session's payment. */
export function followCheckout(context: Context, intent: Stripe.PaymentIntent): void {
  const id = context.simulator.purposes.get(intent.id)?.session;
  const session = id === undefined ? undefined : context.simulator.store.find("checkout.session", id, context.account);
  if (session === undefined) return;
  if (session.status === "open") {
    if (["succeeded", "processing", "requires_capture"].includes(intent.status))
      complete(context, session, intent.status === "succeeded");
  } else if (session.status === "complete" && session.payment_status === "unpaid") {
    if (intent.status === "succeeded") {
      change(
        context,
        session,
        (changed) => {
          changed.payment_status = "paid";
        },
        "checkout.session.async_payment_succeeded",
      );
    } else if (intent.status === "requires_payment_method")
      emit(context, "checkout.session.async_payment_failed", session);
  }
}

/** Where the browser goes when all is done. */
export function successUrl(session: Stripe.Checkout.Session): string | undefined {
  return session.success_url?.replaceAll("{CHECKOUT_SESSION_ID}", session.id);
}

function payOnce(
  context: Context,
  session: Stripe.Checkout.Session,
  method: Stripe.PaymentMethod,
): Stripe.Checkout.Session {
  if (session.payment_status === "no_payment_required") {
    complete(context, session, false);
    return session;
  }
  if (session.customer === null && session.customer_creation === "always")
    session.customer = customerOf(context, session).id;
  const known = idOf(session.payment_intent);
  const intent = known === undefined ? firstIntent(context, session) : get(context, "payment_intent", known);
  intent.payment_method = method.id;
  intent.customer = session.customer;
  confirm(context, intent, { returnUrl: session.url });
  return session;
}

function firstIntent(context: Context, session: Stripe.Checkout.Session): Stripe.PaymentIntent {
  const extras = context.simulator.carts.get(session.id)?.intent ?? {};
  const intent = newIntent(context, {
    ...fromExtras(extras),
    amount: session.amount_total ?? 0,
    currency: session.currency ?? "usd",
    customer: idOf(session.customer) ?? null,
    methodTypes: session.payment_method_types,
  });
  session.payment_intent = intent.id;
  context.simulator.purposes.set(intent.id, { session: session.id });
  return intent;
}

function subscribe(
  context: Context,
  session: Stripe.Checkout.Session,
  method: Stripe.PaymentMethod,
): Stripe.Checkout.Session {
  const customer = idOf(session.customer) ?? customerOf(context, session).id;
  session.customer = customer;
  attach(context, method, customer);
  const cart = context.simulator.carts.get(session.id);
  if (cart === undefined) throw invalid("This Checkout Session has no line items.");
  const waiting = cart.waiting === undefined ? undefined : get(context, "subscription", cart.waiting);
  const subscription =
    waiting === undefined || OVER.has(waiting.status) ? begin(context, customer, method, cart) : waiting;
  cart.waiting = subscription.id;
  subscription.default_payment_method = method.id;
  const invoice = get(context, "invoice", idOf(subscription.latest_invoice) ?? "");
  if (invoice.status === "open") {
    const intent = intentOf(context, invoice);
    context.simulator.purposes.set(intent.id, { invoice: invoice.id, session: session.id });
    payInvoice(context, invoice, { method: method.id, returnUrl: session.url });
  } else complete(context, session, false);
  return session;
}

function begin(
  context: Context,
  customer: string,
  method: Stripe.PaymentMethod,
  { items, subscription }: Cart,
): Stripe.Subscription {
  return newSubscription(context, {
    customer,
    items: items.flatMap(({ price, quantity }) => (price?.recurring ? [{ price, quantity: quantity ?? 1 }] : [])),
    metadata: newMetadata(subscription.metadata),
    description: subscription.description ?? null,
    method: method.id,
    trialEnd: trialEndOf(context, subscription),
    behavior: "default_incomplete",
  });
}

/** The payment method is kept for the customer; authentication is taken for granted. */
function setUp(
  context: Context,
  session: Stripe.Checkout.Session,
  method: Stripe.PaymentMethod,
): Stripe.Checkout.Session {
  const customer = idOf(session.customer) ?? customerOf(context, session).id;
  session.customer = customer;
  const setup = newSetupIntent(context, {
    customer,
    description: null,
    isAutomatic: false,
    metadata: {},
    method: method.id,
    methodTypes: session.payment_method_types,
    usage: "off_session",
  });
  confirmSetup(context, setup);
  session.setup_intent = setup.id;
  complete(context, session, false);
  return session;
}

function complete(context: Context, session: Stripe.Checkout.Session, isPaid: boolean): void {
  const { simulator } = context;
  const subscription = simulator.carts.get(session.id)?.waiting;
  simulator.alarms.clear(`checkout ${session.id}`);
  change(
    context,
    session,
    (changed) => {
      changed.status = "complete";
      changed.url = null;
      if (isPaid) changed.payment_status = "paid";
      if (subscription !== undefined) {
        changed.subscription = subscription;
        changed.invoice = idOf(get(context, "subscription", subscription).latest_invoice) ?? null;
        if (changed.payment_status === "unpaid" && get(context, "subscription", subscription).status === "trialing") {
          changed.payment_status = "no_payment_required";
        }
      }
    },
    "checkout.session.completed",
  );
}

function customerOf(context: Context, session: Stripe.Checkout.Session): Stripe.Customer {
  const { email = null, name = null } = session.customer_details ?? {};
  const customer = newCustomer(context, { email, name });
  emit(context, "customer.created", customer);
  return customer;
}
