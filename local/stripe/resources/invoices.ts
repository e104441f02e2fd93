import type Stripe from "stripe";
import * as z from "zod";
import { type Context, get, now } from "../context.ts";
import { invalid } from "../errors.ts";
import { change, emit } from "../events.ts";
import { close, collect, intentOf, markPaid, payInvoice } from "../invoice-payments.ts";
import { finalize, newInvoice, newInvoiceItem, subscriptionOf } from "../invoices.ts";
import { is, isWithin, listOf, pageOf } from "../list.ts";
import {
  clearable,
  count,
  currency,
  flag,
  id,
  integer,
  metadata,
  newMetadata,
  none,
  page,
  range,
  reviseMetadata,
  text,
} from "../params.ts";
import { methodOf } from "../payment-methods.ts";
import { chosenPrice } from "../prices.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";

/** https://docs.stripe.com/api/invoices, https://docs.stripe.com/api/invoiceitems, https://docs.stripe.com/api/invoice-payment */

const Create = z.strictObject({
  auto_advance: flag.optional(),
  collection_method: z.enum(["charge_automatically", "send_invoice"]).optional(),
  currency: currency.optional(),
  customer: id,
  days_until_due: count.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  pending_invoice_items_behavior: z.enum(["include"]).optional(),
});
const Update = z.strictObject({
  auto_advance: flag.optional(),
  default_payment_method: clearable(id).optional(),
  description: clearable(text).optional(),
  metadata: metadata.optional(),
});
const Pay = z.strictObject({
  payment_method: id.optional(),
  paid_out_of_band: flag.optional(),
  off_session: flag.optional(),
});
const List = z.strictObject({
  ...page,
  collection_method: text.optional(),
  created: range.optional(),
  customer: id.optional(),
  status: text.optional(),
  subscription: id.optional(),
});
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });
const CreateItem = z.strictObject({
  amount: integer.optional(),
  currency: currency.optional(),
  customer: id,
  description: text.optional(),
  metadata: metadata.optional(),
  pricing: z.strictObject({ price: id }).optional(),
  quantity: count.optional(),
  subscription: id.optional(),
});
const ListItems = z.strictObject({
  ...page,
  created: range.optional(),
  customer: id.optional(),
  invoice: id.optional(),
  pending: flag.optional(),
});
const ListPayments = z.strictObject({
  ...page,
  invoice: id.optional(),
  status: text.optional(),
  payment: z.strictObject({ type: text, payment_intent: id.optional() }).optional(),
});

export const invoices: readonly Route[] = [
  route("POST", "/v1/invoices", Create, (context, given) =>
    newInvoice(context, {
      customer: given.customer,
      currency: given.currency ?? get(context, "customer", given.customer, "customer").currency ?? "usd",
      reason: "manual",
      lines: [],
      autoAdvance: given.auto_advance ?? false,
      description: given.description ?? null,
      metadata: newMetadata(given.metadata),
      daysUntilDue: given.days_until_due ?? null,
      ...(given.collection_method === undefined ? {} : { collection: given.collection_method }),
    }),
  ),
  route("GET", "/v1/invoices/search", Search, (context, params) =>
    searchOf(context, "invoice", params, "/v1/invoices/search"),
  ),
  route("GET", "/v1/invoices/:id", none, (context, _, id) => get(context, "invoice", id)),
  route("POST", "/v1/invoices/:id", Update, (context, given, id) =>
    change(
      context,
      get(context, "invoice", id),
      (invoice) => {
        if (given.auto_advance !== undefined) invoice.auto_advance = given.auto_advance;
        if (given.description !== undefined) invoice.description = given.description;
        if (given.default_payment_method !== undefined) invoice.default_payment_method = given.default_payment_method;
        reviseMetadata(invoice, given.metadata);
      },
      "invoice.updated",
    ),
  ),
  route("DELETE", "/v1/invoices/:id", none, (context, _, id) => {
    const invoice = get(context, "invoice", id);
    if (invoice.status !== "draft")
      throw invalid("You can only delete draft invoices.", { code: "invoice_not_editable" });
    context.simulator.alarms.clear(`finalize ${id}`);
    emit(context, "invoice.deleted", invoice);
    return context.simulator.store.bury("invoice", id);
  }),
  route(
    "POST",
    "/v1/invoices/:id/finalize",
    z.strictObject({ auto_advance: flag.optional() }),
    (context, given, id) => {
      const invoice = finalize(context, get(context, "invoice", id));
      if (given.auto_advance === true || invoice.amount_remaining === 0) collect(context, invoice);
      else intentOf(context, invoice);
      return invoice;
    },
  ),
  route("POST", "/v1/invoices/:id/pay", Pay, (context, given, id) => {
    const invoice = get(context, "invoice", id);
    if (invoice.status === "draft") finalize(context, invoice);
    if (given.paid_out_of_band === true) settleElsewhere(context, invoice);
    else {
      const method = given.payment_method === undefined ? undefined : methodOf(context, given.payment_method).id;
      payInvoice(context, invoice, { method, isOffSession: given.off_session ?? true });
    }
    return invoice;
  }),
  route("POST", "/v1/invoices/:id/void", none, (context, _, id) => close(context, get(context, "invoice", id), "void")),
  route("POST", "/v1/invoices/:id/mark_uncollectible", none, (context, _, id) =>
    close(context, get(context, "invoice", id), "uncollectible"),
  ),
  route("POST", "/v1/invoices/:id/send", none, (context, _, id) => {
    const invoice = get(context, "invoice", id);
    if (invoice.status === "draft") finalize(context, invoice);
    emit(context, "invoice.sent", invoice);
    return invoice;
  }),
  route("GET", "/v1/invoices/:id/lines", z.strictObject(page), (context, params, id) =>
    pageOf(get(context, "invoice", id).lines.data, params, `/v1/invoices/${id}/lines`),
  ),
  route(
    "GET",
    "/v1/invoices",
    List,
    (context, { collection_method, created, customer, status, subscription, ...params }) =>
      listOf(
        context,
        "invoice",
        params,
        "/v1/invoices",
        (invoice) =>
          is(collection_method, invoice.collection_method) &&
          is(customer, invoice.customer) &&
          is(status, invoice.status) &&
          is(subscription, subscriptionOf(invoice)) &&
          isWithin(invoice.created, created),
      ),
  ),
  route("POST", "/v1/invoiceitems", CreateItem, (context, given) => createItem(context, given)),
  route("GET", "/v1/invoiceitems/:id", none, (context, _, id) => get(context, "invoiceitem", id)),
  route("DELETE", "/v1/invoiceitems/:id", none, (context, _, id) => {
    const item = get(context, "invoiceitem", id);
    if (item.invoice !== null)
      throw invalid("This invoice item is part of an invoice already.", { code: "invoice_not_editable" });
    emit(context, "invoiceitem.deleted", item);
    return context.simulator.store.bury("invoiceitem", id);
  }),
  route("GET", "/v1/invoiceitems", ListItems, (context, { created, customer, invoice, pending, ...params }) =>
    listOf(
      context,
      "invoiceitem",
      params,
      "/v1/invoiceitems",
      (item) =>
        is(customer, item.customer) &&
        is(invoice, item.invoice) &&
        is(pending, item.invoice === null) &&
        isWithin(item.date, created),
    ),
  ),
  route("GET", "/v1/invoice_payments/:id", none, (context, _, id) => get(context, "invoice_payment", id)),
  route("GET", "/v1/invoice_payments", ListPayments, (context, { invoice, status, payment, ...params }) =>
    listOf(
      context,
      "invoice_payment",
      params,
      "/v1/invoice_payments",
      (held) =>
        is(invoice, held.invoice) &&
        is(status, held.status) &&
        is(payment?.payment_intent, held.payment.payment_intent),
    ),
  ),
];

/** Somebody has paid in cash or by bank transfer. */
function settleElsewhere(context: Context, invoice: Stripe.Invoice): void {
  if (invoice.status !== "open" && invoice.status !== "uncollectible")
    throw invalid("Invoice is already paid", { code: "invoice_already_paid" });
  markPaid(context, invoice);
}

function createItem(context: Context, given: z.output<typeof CreateItem>): Stripe.InvoiceItem {
  const customer = get(context, "customer", given.customer, "customer");
  const price = given.pricing === undefined ? undefined : chosenPrice(context, given.pricing, "pricing");
  const quantity = given.quantity ?? 1;
  if (given.amount === undefined && price === undefined) {
    throw invalid("Missing required param: amount.", { code: "parameter_missing", param: "amount", early: true });
  }
  return newInvoiceItem(context, customer.id, {
    amount: given.amount ?? (price?.unit_amount ?? 0) * quantity,
    currency: given.currency ?? price?.currency ?? customer.currency ?? "usd",
    description: given.description ?? "",
    period: { start: now(context), end: now(context) },
    quantity,
    metadata: newMetadata(given.metadata),
    ...(price === undefined ? {} : { price }),
    ...(given.subscription === undefined ? {} : { subscription: given.subscription }),
  });
}
