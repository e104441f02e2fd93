import type Stripe from "stripe";
import { decimalOf } from "./amounts.ts";
import { all, type Context, get, idOf, keep, now } from "./context.ts";
import { invalid } from "./errors.ts";
import { change, emit } from "./events.ts";
import { newId } from "./ids.ts";

/** Invoices up to the point where money is asked for: https://docs.stripe.com/invoicing/integration/workflow-transitions */

export interface NewLine {
  readonly amount: number;
  readonly description: string;
  readonly period: { readonly start: number; readonly end: number };
  readonly price?: Stripe.Price;
  readonly quantity?: number;
  readonly item?: Stripe.SubscriptionItem;
  /** The pending item that it bills. */
  readonly invoiceItem?: string;
  readonly isProration?: boolean;
  readonly metadata?: Record<string, string>;
}

export interface NewInvoice {
  readonly customer: string;
  readonly currency: string;
  readonly reason: Stripe.Invoice.BillingReason;
  readonly subscription?: Stripe.Subscription;
  readonly lines: readonly NewLine[];
  readonly period?: { readonly start: number; readonly end: number };
  readonly metadata?: Record<string, string>;
  readonly description?: string | null;
  readonly autoAdvance?: boolean;
  readonly collection?: Stripe.Invoice.CollectionMethod;
  readonly daysUntilDue?: number | null;
}

const DAY = 86_400;
const MAX_LINES = 250;

/** A draft. What is pending for the customer, such as prorations, is billed with it. */
export function newInvoice(context: Context, given: NewInvoice): Stripe.Invoice {
  const id = newId("in");
  const customer = get(context, "customer", given.customer, "customer");
  const { subscription, currency } = given;
  const lines = [...given.lines, ...pendingLines(context, id, given)]
    .slice(0, MAX_LINES)
    .map((line) => lineOf(id, currency, line, subscription));
  const period = given.period ?? { start: now(context), end: now(context) };
  const invoice: Stripe.Invoice = {
    id,
    object: "invoice",
    account_country: "US",
    account_name: "Pot of Gold",
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: given.autoAdvance ?? true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: given.reason,
    collection_method: given.collection ?? "charge_automatically",
    created: now(context),
    currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? "none",
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: [],
    due_date: given.daysUntilDue ? now(context) + given.daysUntilDue * DAY : null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: "self" },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: "list", data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: given.metadata ?? {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent:
      subscription === undefined
        ? null
        : {
            quote_details: null,
            subscription_details: { metadata: { ...subscription.metadata }, subscription: subscription.id },
            type: "subscription_details",
          },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: period.end,
    period_start: period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: "draft",
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
  total(invoice);
  keep(context, "invoice", invoice);
  if (subscription !== undefined) subscription.latest_invoice = id;
  emit(context, "invoice.created", invoice);
  return invoice;
}

/** Fixes the amount, against which the customer's balance counts. Throws StripeError unless it is a draft. */
export function finalize(context: Context, invoice: Stripe.Invoice): Stripe.Invoice {
  if (invoice.status !== "draft")
    throw invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
      code: "invoice_not_editable",
    });
  context.simulator.alarms.clear(`finalize ${invoice.id}`);
  const customer = get(context, "customer", idOf(invoice.customer) ?? "");
  return change(
    context,
    invoice,
    (changed) => {
      total(changed);
      changed.starting_balance = customer.balance;
      const owed = changed.total + customer.balance;
      changed.amount_due = Math.max(0, owed);
      changed.amount_remaining = changed.amount_due;
      // What is left of a credit, or of an invoice below zero, counts the next time.
      changed.ending_balance = Math.min(0, owed);
      customer.balance = changed.ending_balance;
      changed.status = "open";
      changed.auto_advance = changed.collection_method === "charge_automatically" && changed.auto_advance === true;
      changed.number = `${customer.invoice_prefix ?? "INV"}-${String(customer.next_invoice_sequence ?? 1).padStart(4, "0")}`;
      customer.next_invoice_sequence = (customer.next_invoice_sequence ?? 1) + 1;
      changed.hosted_invoice_url = `${context.simulator.origin()}/i/${changed.id}`;
      changed.invoice_pdf = `${context.simulator.origin()}/i/${changed.id}/pdf`;
      changed.effective_at = now(context);
      changed.status_transitions.finalized_at = now(context);
    },
    "invoice.finalized",
  );
}

/** Bills something with the customer's next invoice. */
export function newInvoiceItem(
  context: Context,
  customer: string,
  line: NewLine & { readonly currency: string; readonly subscription?: string },
): Stripe.InvoiceItem {
  const { price, quantity = 1, subscription, item } = line;
  const made: Stripe.InvoiceItem = {
    id: newId("ii"),
    object: "invoiceitem",
    amount: line.amount,
    currency: line.currency,
    customer,
    customer_account: null,
    date: now(context),
    description: line.description,
    discountable: line.isProration !== true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: line.metadata ?? {},
    net_amount: line.amount,
    parent:
      subscription === undefined
        ? null
        : {
            subscription_details: { subscription, ...(item === undefined ? {} : { subscription_item: item.id }) },
            type: "subscription_details",
          },
    period: { ...line.period },
    pricing: price === undefined ? null : pricingOf(price),
    proration: line.isProration ?? false,
    quantity,
    quantity_decimal: decimalOf(quantity),
    tax_rates: [],
    test_clock: null,
  };
  keep(context, "invoiceitem", made);
  emit(context, "invoiceitem.created", made);
  return made;
}

export function subscriptionOf(invoice: Stripe.Invoice): string | undefined {
  return idOf(invoice.parent?.subscription_details?.subscription);
}

/** Adds up the lines of a draft. */
function total(invoice: Stripe.Invoice): void {
  const sum = invoice.lines.data.reduce((before, line) => before + line.amount, 0);
  invoice.subtotal = sum;
  invoice.subtotal_excluding_tax = sum;
  invoice.total = sum;
  invoice.total_excluding_tax = sum;
  invoice.amount_due = Math.max(0, sum + invoice.starting_balance);
  invoice.amount_remaining = invoice.amount_due;
}

/** The customer's pending items, which belong to this invoice from now on. */
function pendingLines(context: Context, invoice: string, { customer, currency, subscription }: NewInvoice): NewLine[] {
  const pending = all(context, "invoiceitem").filter((item) => {
    const wanted = idOf(item.parent?.subscription_details?.subscription);
    return (
      item.customer === customer &&
      item.invoice === null &&
      item.currency === currency &&
      (wanted === undefined || wanted === subscription?.id)
    );
  });
  return pending.map((item) => {
    item.invoice = invoice;
    return {
      amount: item.amount,
      description: item.description ?? "",
      period: item.period,
      quantity: item.quantity,
      invoiceItem: item.id,
      isProration: item.proration,
      metadata: item.metadata ?? {},
    };
  });
}

function lineOf(
  invoice: string,
  currency: string,
  line: NewLine,
  subscription: Stripe.Subscription | undefined,
): Stripe.InvoiceLineItem {
  const { amount, item, invoiceItem, price, quantity = 1, isProration = false } = line;
  return {
    id: newId("il"),
    object: "line_item",
    amount,
    currency,
    description: line.description,
    discount_amounts: [],
    discountable: !isProration,
    discounts: [],
    invoice,
    livemode: false,
    metadata: line.metadata ?? {},
    parent:
      item === undefined
        ? {
            invoice_item_details: {
              invoice_item: invoiceItem ?? "",
              proration: isProration,
              proration_details: null,
              subscription: subscription?.id ?? null,
            },
            subscription_item_details: null,
            type: "invoice_item_details",
          }
        : {
            invoice_item_details: null,
            subscription_item_details: {
              invoice_item: null,
              proration: isProration,
              proration_details: null,
              subscription: subscription?.id ?? null,
              subscription_item: item.id,
            },
            type: "subscription_item_details",
          },
    period: { ...line.period },
    pretax_credit_amounts: [],
    pricing: price === undefined ? null : pricingOf(price),
    quantity,
    quantity_decimal: decimalOf(quantity),
    subscription: subscription?.id ?? null,
    subtotal: amount,
    taxes: [],
  };
}

function pricingOf(price: Stripe.Price): {
  price_details: { price: string; product: string };
  type: "price_details";
  unit_amount_decimal: Stripe.Decimal | null;
} {
  return {
    price_details: { price: price.id, product: idOf(price.product) ?? "" },
    type: "price_details",
    unit_amount_decimal: price.unit_amount_decimal,
  };
}
