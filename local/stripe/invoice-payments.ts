import type Stripe from "stripe";
import { byItself, type Context, DAY, get, idOf, keep, now } from "./context.ts";
import { invalid, StripeError } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";
import { newIntent } from "./intents.ts";
import { finalize, subscriptionOf } from "./invoices.ts";
import { type Confirmation, cancelIntent, confirm } from "./payments.ts";
import { alarmName, end, FIRST_PAYMENT_SECONDS, paid, setStatus, unpaid } from "./subscription-status.ts";

/** How invoices are paid, tried again and given up: https://docs.stripe.com/billing/revenue-recovery/smart-retries */

/** Finalizes a draft if need be and collects it. Never throws for a card that is declined. */
export function collect(context: Context, invoice: Stripe.Invoice): void {
  if (invoice.status === "draft") finalize(context, invoice);
  if (invoice.status !== "open") return;
  if (invoice.amount_remaining === 0) markPaid(context, invoice);
  else if (invoice.collection_method === "charge_automatically")
    quietly(() => payInvoice(context, invoice, { isOffSession: true }));
}

/** Tries to pay an open invoice. Throws StripeError `card_declined` and its like after the failure has been noted. */
export function payInvoice(
  context: Context,
  invoice: Stripe.Invoice,
  { method, ...confirmation }: Confirmation & { readonly method?: string | undefined } = {},
): void {
  if (invoice.status === "paid") throw invalid("Invoice is already paid", { code: "invoice_already_paid" });
  if (invoice.status !== "open")
    throw invalid(`This invoice cannot be paid: it is ${invoice.status ?? "deleted"}.`, {
      code: "invoice_not_editable",
    });
  if (invoice.amount_remaining === 0) {
    markPaid(context, invoice);
    return;
  }
  const intent = intentOf(context, invoice);
  const chosen = method ?? defaultMethod(context, invoice);
  if (chosen === undefined) {
    noteFailure(context, invoice);
    throw invalid("Cannot charge customer that has no active card: there is no default payment method.", {
      code: "resource_missing",
      intent: structuredClone(intent),
    });
  }
  intent.payment_method = chosen;
  confirm(context, intent, confirmation);
}

/** The payment intent of an open invoice, made when first needed. */
export function intentOf(context: Context, invoice: Stripe.Invoice): Stripe.PaymentIntent {
  const { simulator, account } = context;
  const held = simulator.store.all("invoice_payment", account).findLast((payment) => payment.invoice === invoice.id);
  const known = simulator.store.find("payment_intent", idOf(held?.payment.payment_intent) ?? "", account);
  if (known !== undefined && known.status !== "canceled") return known;
  const intent = newIntent(context, {
    amount: invoice.amount_remaining,
    currency: invoice.currency,
    customer: idOf(invoice.customer) ?? null,
    description:
      invoice.description ??
      (invoice.billing_reason === "subscription_create" ? "Subscription creation" : "Subscription update"),
    setupFutureUsage: subscriptionOf(invoice) === undefined ? null : "off_session",
  });
  simulator.purposes.set(intent.id, { ...simulator.purposes.get(intent.id), invoice: invoice.id });
  keep(context, "invoice_payment", {
    id: newId("inpay"),
    object: "invoice_payment",
    amount_paid: null,
    amount_requested: invoice.amount_remaining,
    created: now(context),
    currency: invoice.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: "payment_intent" },
    status: "open",
    status_transitions: { canceled_at: null, paid_at: null },
  });
  return intent;
}

/** Hears what has become of a payment, and carries it over to the invoice and its subscription. */
export function followInvoice(context: Context, intent: Stripe.PaymentIntent): void {
  const id = context.simulator.purposes.get(intent.id)?.invoice;
  const invoice = id === undefined ? undefined : context.simulator.store.find("invoice", id, context.account);
  if (invoice === undefined || invoice.status !== "open") return;
  if (intent.status === "succeeded") markPaid(context, invoice, intent);
  else if (intent.status === "requires_payment_method") noteFailure(context, invoice);
  else if (intent.status === "requires_action") {
    emit(context, "invoice.payment_action_required", invoice);
    noteFailure(context, invoice);
  } else if (intent.status === "processing") {
    const subscription = subscriptionFor(context, invoice);
    if (subscription !== undefined) paid(context, subscription);
  }
}

export function markPaid(context: Context, invoice: Stripe.Invoice, intent?: Stripe.PaymentIntent): void {
  context.simulator.alarms.clear(`retry ${invoice.id}`);
  const payment = context.simulator.store
    .all("invoice_payment", context.account)
    .findLast((held) => held.invoice === invoice.id && held.payment.payment_intent === intent?.id);
  if (payment !== undefined) {
    payment.status = "paid";
    payment.amount_paid = payment.amount_requested;
    payment.status_transitions.paid_at = now(context);
    emit(context, "invoice_payment.paid", payment);
  }
  change(
    context,
    invoice,
    (changed) => {
      if (intent !== undefined) changed.attempt_count++;
      changed.attempted = true;
      changed.amount_paid = changed.amount_due;
      changed.amount_remaining = 0;
      changed.next_payment_attempt = null;
      changed.status = "paid";
      changed.status_transitions.paid_at = now(context);
    },
    "invoice.updated",
    "invoice.paid",
    "invoice.payment_succeeded",
  );
  const subscription = subscriptionFor(context, invoice);
  if (subscription === undefined) return;
  // The card that paid pays for what follows too, as after Checkout.
  if (
    intent !== undefined &&
    subscription.default_payment_method === null &&
    invoice.billing_reason === "subscription_create"
  ) {
    subscription.default_payment_method = idOf(intent.payment_method) ?? null;
  }
  paid(context, subscription);
}

/** Nobody is to pay it any more. Throws StripeError unless it is open (or, for uncollectible ones to be voided, uncollectible). */
export function close(context: Context, invoice: Stripe.Invoice, status: "void" | "uncollectible"): Stripe.Invoice {
  if (invoice.status !== "open" && !(status === "void" && invoice.status === "uncollectible")) {
    throw invalid(`You can only pass in open invoices. This invoice isn't open.`, { code: "invoice_not_editable" });
  }
  context.simulator.alarms.clear(`retry ${invoice.id}`);
  const { status_transitions } = invoice;
  change(
    context,
    invoice,
    (changed) => {
      changed.status = status;
      changed.next_payment_attempt = null;
      if (status === "void") changed.amount_remaining = 0;
    },
    status === "void" ? "invoice.voided" : "invoice.marked_uncollectible",
  );
  if (status === "void") status_transitions.voided_at = now(context);
  else status_transitions.marked_uncollectible_at = now(context);
  const open = openIntent(context, invoice);
  if (open !== undefined && status === "void") cancelIntent(context, open, "void_invoice");
  return invoice;
}

/** A subscription whose first payment does not come within 23 hours expires. */
export function awaitFirstPayment(context: Context, subscription: Stripe.Subscription): void {
  const later = byItself(context);
  context.simulator.alarms.set(alarmName("expire", subscription), now(context) + FIRST_PAYMENT_SECONDS, () => {
    if (subscription.status !== "incomplete") return;
    context.simulator.alarms.clear(alarmName("renew", subscription));
    subscription.ended_at = now(later);
    setStatus(later, subscription, "incomplete_expired");
    const invoice = later.simulator.store.find("invoice", idOf(subscription.latest_invoice) ?? "", later.account);
    if (invoice?.status === "open") close(later, invoice, "void");
  });
}

function noteFailure(context: Context, invoice: Stripe.Invoice): void {
  const { retryDays } = context.simulator.settings;
  const isFirst = invoice.billing_reason === "subscription_create";
  const pause = isFirst || subscriptionOf(invoice) === undefined ? undefined : retryDays[invoice.attempt_count];
  change(
    context,
    invoice,
    (changed) => {
      changed.attempted = true;
      changed.attempt_count++;
      changed.next_payment_attempt = pause === undefined ? null : now(context) + pause * DAY;
    },
    "invoice.updated",
    "invoice.payment_failed",
  );
  const subscription = subscriptionFor(context, invoice);
  if (subscription === undefined || isFirst) return;
  unpaid(context, subscription);
  if (invoice.next_payment_attempt === null) giveUp(context, subscription);
  else retryLater(context, invoice, invoice.next_payment_attempt);
}

function retryLater(context: Context, invoice: Stripe.Invoice, at: number): void {
  const later = byItself(context);
  context.simulator.alarms.set(`retry ${invoice.id}`, at, () => collect(later, invoice));
}

function giveUp(context: Context, subscription: Stripe.Subscription): void {
  const { afterRetries } = context.simulator.settings;
  if (subscription.status !== "past_due") return;
  if (afterRetries === "canceled") end(context, subscription, "payment_failed");
  else if (afterRetries === "unpaid") setStatus(context, subscription, "unpaid");
}

function defaultMethod(context: Context, invoice: Stripe.Invoice): string | undefined {
  const subscription = subscriptionFor(context, invoice);
  const customer = context.simulator.store.find("customer", idOf(invoice.customer) ?? "", context.account);
  const candidates = [
    invoice.default_payment_method,
    subscription?.default_payment_method,
    customer?.invoice_settings.default_payment_method,
  ];
  return candidates.map((candidate) => idOf(candidate)).find((candidate) => candidate !== undefined);
}

function subscriptionFor(context: Context, invoice: Stripe.Invoice): Stripe.Subscription | undefined {
  const id = subscriptionOf(invoice);
  return id === undefined ? undefined : context.simulator.store.find("subscription", id, context.account);
}

function openIntent(context: Context, invoice: Stripe.Invoice): Stripe.PaymentIntent | undefined {
  const held = context.simulator.store
    .all("invoice_payment", context.account)
    .findLast((payment) => payment.invoice === invoice.id);
  const intent =
    held === undefined ? undefined : get(context, "payment_intent", idOf(held.payment.payment_intent) ?? "");
  return intent === undefined || intent.status === "canceled" || intent.status === "succeeded" ? undefined : intent;
}

/** Failures of payment have been noted on what they concern. */
function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
  }
}
