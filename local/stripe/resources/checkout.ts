import type Stripe from "stripe";
import * as z from "zod";
import { type Context, DAY, get, HOUR, idOf, keep, now } from "../context.ts";
import { invalid } from "../errors.ts";
import { newId } from "../ids.ts";
import { is, isWithin, listOf, pageOf } from "../list.ts";
import {
  clearable,
  count,
  currency,
  flag,
  id,
  integer,
  list,
  metadata,
  newMetadata,
  none,
  page,
  range,
  reviseMetadata,
  text,
} from "../params.ts";
import { chosenPrice } from "../prices.ts";
import { type Route, route } from "../router.ts";
import { expire, lineItem, newSession } from "../sessions.ts";
import { checkConnect, intentExtras, MINIMUM } from "./payment-intents.ts";
import { priceData } from "./products.ts";

/** https://docs.stripe.com/api/checkout/sessions, https://docs.stripe.com/api/customer_portal/sessions */

const Create = z.strictObject({
  adaptive_pricing: z.unknown().optional(),
  allow_promotion_codes: flag.optional(),
  automatic_tax: z.unknown().optional(),
  billing_address_collection: text.optional(),
  branding_settings: z.unknown().optional(),
  cancel_url: text.optional(),
  client_reference_id: z.string().max(200).optional(),
  consent_collection: z.unknown().optional(),
  currency: currency.optional(),
  custom_text: z.unknown().optional(),
  customer: id.optional(),
  customer_creation: z.enum(["always", "if_required"]).optional(),
  customer_email: text.optional(),
  customer_update: z.unknown().optional(),
  excluded_payment_method_types: z.unknown().optional(),
  expires_at: integer.optional(),
  invoice_creation: z.unknown().optional(),
  line_items: list(
    z.strictObject({
      price: id.optional(),
      price_data: priceData.optional(),
      quantity: count.optional(),
      adjustable_quantity: z.unknown().optional(),
      metadata: metadata.optional(),
    }),
  ).optional(),
  locale: text.optional(),
  managed_payments: z.unknown().optional(),
  metadata: metadata.optional(),
  mode: z.enum(["payment", "setup", "subscription"]),
  name_collection: z.unknown().optional(),
  origin_context: text.optional(),
  payment_intent_data: z.strictObject(intentExtras).optional(),
  payment_method_collection: text.optional(),
  payment_method_configuration: text.optional(),
  payment_method_options: z.unknown().optional(),
  allowed_payment_method_types: list(text).optional(),
  phone_number_collection: z.unknown().optional(),
  saved_payment_method_options: z.unknown().optional(),
  submit_type: text.optional(),
  subscription_data: z
    .strictObject({
      description: text.optional(),
      metadata: metadata.optional(),
      trial_end: integer.optional(),
      trial_period_days: count.optional(),
      trial_settings: z.unknown().optional(),
      billing_mode: z.unknown().optional(),
    })
    .optional(),
  success_url: text.optional(),
  tax_id_collection: z.unknown().optional(),
  ui_mode: z.literal("hosted_page").optional(),
});
const List = z.strictObject({
  ...page,
  created: range.optional(),
  customer: id.optional(),
  payment_intent: id.optional(),
  status: text.optional(),
  subscription: id.optional(),
});
const Portal = z.strictObject({
  configuration: id.optional(),
  customer: id,
  flow_data: z.unknown().optional(),
  locale: text.optional(),
  return_url: clearable(text).optional(),
});

export const checkout: readonly Route[] = [
  route("POST", "/v1/checkout/sessions", Create, (context, given) => create(context, given)),
  route("GET", "/v1/checkout/sessions/:id", none, (context, _, id) => get(context, "checkout.session", id)),
  route(
    "POST",
    "/v1/checkout/sessions/:id",
    z.strictObject({ metadata: metadata.optional() }),
    (context, given, id) => {
      const session = get(context, "checkout.session", id);
      reviseMetadata(session, given.metadata);
      return session;
    },
  ),
  route("POST", "/v1/checkout/sessions/:id/expire", none, (context, _, id) =>
    expire(context, get(context, "checkout.session", id)),
  ),
  route("GET", "/v1/checkout/sessions/:id/line_items", z.strictObject(page), (context, params, id) => {
    const session = get(context, "checkout.session", id);
    return pageOf(
      context.simulator.carts.get(session.id)?.items ?? [],
      params,
      `/v1/checkout/sessions/${id}/line_items`,
    );
  }),
  route(
    "GET",
    "/v1/checkout/sessions",
    List,
    (context, { created, customer, payment_intent, status, subscription, ...params }) =>
      listOf(
        context,
        "checkout.session",
        params,
        "/v1/checkout/sessions",
        (session) =>
          is(customer, session.customer) &&
          is(payment_intent, session.payment_intent) &&
          is(status, session.status) &&
          is(subscription, session.subscription) &&
          isWithin(session.created, created),
      ),
  ),
  route("POST", "/v1/billing_portal/sessions", Portal, (context, given) => {
    get(context, "customer", given.customer, "customer");
    const portalId = newId("bps");
    const session: Stripe.BillingPortal.Session = {
      id: portalId,
      object: "billing_portal.session",
      configuration: given.configuration ?? "bpc_simulator",
      created: now(context),
      customer: given.customer,
      customer_account: null,
      flow: null,
      livemode: false,
      locale: null,
      on_behalf_of: null,
      return_url: given.return_url ?? null,
      url: `${context.simulator.origin()}/p/session/${portalId}`,
    };
    return keep(context, "billing_portal.session", session);
  }),
];

function create(context: Context, given: z.output<typeof Create>): Stripe.Checkout.Session {
  if (given.customer !== undefined) get(context, "customer", given.customer, "customer");
  if (given.customer !== undefined && given.customer_email !== undefined) {
    throw invalid("You may only specify one of these parameters: customer, customer_email.", {
      param: "customer_email",
      early: true,
    });
  }
  const items = itemsOf(context, given);
  const sum = items.reduce((total, item) => total + item.amount_total, 0);
  if (given.mode === "payment" && sum > 0 && sum < MINIMUM) {
    throw invalid("The Checkout Session's total amount due must add up to at least $0.50 usd", {
      code: "amount_too_small",
      early: true,
    });
  }
  checkConnect(context, { ...given.payment_intent_data, amount: sum });
  return newSession(context, {
    mode: given.mode,
    cart: { items, intent: given.payment_intent_data ?? {}, subscription: given.subscription_data ?? {} },
    cancelUrl: given.cancel_url ?? null,
    successUrl: given.success_url ?? null,
    clientReference: given.client_reference_id ?? null,
    currency: items[0]?.currency ?? given.currency ?? null,
    customer: given.customer ?? null,
    customerCreation: given.customer_creation ?? "if_required",
    customerEmail: given.customer_email ?? null,
    expiresAt: expiryOf(context, given.expires_at),
    metadata: newMetadata(given.metadata),
    methodTypes: given.allowed_payment_method_types,
  });
}

function itemsOf(context: Context, { mode, line_items = [] }: z.output<typeof Create>): Stripe.LineItem[] {
  if (mode === "setup") return [];
  if (line_items.length === 0)
    throw invalid("Missing required param: line_items.", {
      code: "parameter_missing",
      param: "line_items",
      early: true,
    });
  const items = line_items.map((item, i) => {
    const price = chosenPrice(context, item, `line_items[${i}]`);
    const product = get(context, "product", idOf(price.product) ?? "");
    return lineItem(price, item.quantity ?? 1, product.name);
  });
  const recurring = items.filter(({ price }) => price?.recurring).length;
  if (mode === "payment" && recurring > 0) {
    throw invalid(
      "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.",
      { param: "line_items" },
    );
  }
  if (mode === "subscription" && recurring < items.length) {
    throw invalid("The simulator sells recurring prices only in `subscription` mode.", { param: "line_items" });
  }
  if (new Set(items.map((item) => item.currency)).size > 1)
    throw invalid("All prices on a Checkout Session must have the same currency.", { param: "line_items" });
  return items;
}

/** Between half an hour and a day from now: https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at */
function expiryOf(context: Context, wanted: number | undefined): number {
  const expiresAt = wanted ?? now(context) + DAY;
  if (expiresAt < now(context) + HOUR / 2 - 5 || expiresAt > now(context) + DAY + 5) {
    throw invalid(
      "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
      { param: "expires_at" },
    );
  }
  return expiresAt;
}
