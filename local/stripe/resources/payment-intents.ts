import type Stripe from "stripe";
import * as z from "zod";
import { checkDestination } from "../accounts.ts";
import { type Context, get, type IntentExtras, within } from "../context.ts";
import { invalid } from "../errors.ts";
import { change } from "../events.ts";
import { fromExtras, newIntent } from "../intents.ts";
import { is, isWithin, listOf } from "../list.ts";
import {
  amount,
  changeMetadata,
  clearable,
  count,
  currency,
  defined,
  flag,
  id,
  list,
  metadata,
  page,
  range,
  text,
} from "../params.ts";
import { methodOf, newPaymentMethod } from "../payment-methods.ts";
import { cancelIntent, captureIntent, confirm } from "../payments.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";
import { methodData } from "./payment-methods.ts";

/** https://docs.stripe.com/api/payment_intents */

/** https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in US dollars; those of other currencies are close to it. */
export const MINIMUM = 50;

const transferData = z.strictObject({
  destination: id,
  amount: count.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
});
/** What intents and the sessions that make them have in common. */
export const intentExtras = {
  application_fee_amount: clearable(count).optional(),
  capture_method: z.enum(["automatic", "automatic_async", "manual"]).optional(),
  description: clearable(text).optional(),
  metadata: metadata.optional(),
  on_behalf_of: id.optional(),
  receipt_email: clearable(text).optional(),
  setup_future_usage: z.enum(["on_session", "off_session"]).optional(),
  statement_descriptor: z.string().max(22).optional(),
  statement_descriptor_suffix: z.string().max(22).optional(),
  transfer_data: transferData.optional(),
  transfer_group: text.optional(),
};
const confirmation = {
  off_session: flag.optional(),
  payment_method: id.optional(),
  payment_method_data: methodData.optional(),
  return_url: text.optional(),
  mandate_data: z.unknown().optional(),
  payment_method_options: z.unknown().optional(),
  radar_options: z.unknown().optional(),
  error_on_requires_action: flag.optional(),
  use_stripe_sdk: flag.optional(),
};
const Create = z.strictObject({
  ...intentExtras,
  ...confirmation,
  amount,
  automatic_payment_methods: z.strictObject({ enabled: flag, allow_redirects: text.optional() }).optional(),
  confirm: flag.optional(),
  confirmation_method: text.optional(),
  currency,
  customer: id.optional(),
  allowed_payment_method_types: list(text).optional(),
  shipping: z.unknown().optional(),
});
const Update = z.strictObject({
  ...intentExtras,
  amount: amount.optional(),
  currency: currency.optional(),
  customer: id.optional(),
  payment_method: id.optional(),
  payment_method_data: methodData.optional(),
  allowed_payment_method_types: list(text).optional(),
  shipping: z.unknown().optional(),
});
const Confirm = z.strictObject({
  ...confirmation,
  receipt_email: clearable(text).optional(),
  setup_future_usage: intentExtras.setup_future_usage,
});
const Capture = z.strictObject({
  amount_to_capture: amount.optional(),
  application_fee_amount: count.optional(),
  metadata: metadata.optional(),
  statement_descriptor: text.optional(),
  statement_descriptor_suffix: text.optional(),
});
const List = z.strictObject({ ...page, created: range.optional(), customer: id.optional() });
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });

export const paymentIntents: readonly Route[] = [
  route("POST", "/v1/payment_intents", Create, (context, given) => {
    const intent = create(context, given);
    return given.confirm === true ? confirmBy(context, intent, given) : intent;
  }),
  route("GET", "/v1/payment_intents/search", Search, (context, params) =>
    searchOf(context, "payment_intent", params, "/v1/payment_intents/search"),
  ),
  route("GET", "/v1/payment_intents/:id", z.strictObject({ client_secret: text.optional() }), (context, _, id) =>
    get(context, "payment_intent", id),
  ),
  route("POST", "/v1/payment_intents/:id", Update, (context, given, id) =>
    update(context, get(context, "payment_intent", id), given),
  ),
  route("POST", "/v1/payment_intents/:id/confirm", Confirm, (context, given, id) =>
    confirmBy(context, get(context, "payment_intent", id), given),
  ),
  route("POST", "/v1/payment_intents/:id/capture", Capture, (context, given, id) => {
    const intent = get(context, "payment_intent", id);
    const captured = captureIntent(context, intent, given.amount_to_capture, given.application_fee_amount);
    changeMetadata(captured.metadata, given.metadata);
    return captured;
  }),
  route(
    "POST",
    "/v1/payment_intents/:id/cancel",
    z.strictObject({
      cancellation_reason: z.enum(["abandoned", "duplicate", "fraudulent", "requested_by_customer"]).optional(),
    }),
    (context, { cancellation_reason }, id) =>
      cancelIntent(context, get(context, "payment_intent", id), cancellation_reason ?? null),
  ),
  route("GET", "/v1/payment_intents", List, (context, { created, customer, ...params }) =>
    listOf(
      context,
      "payment_intent",
      params,
      "/v1/payment_intents",
      (intent) => isWithin(intent.created, created) && is(customer, intent.customer),
    ),
  ),
];

function create(context: Context, given: z.output<typeof Create>): Stripe.PaymentIntent {
  const { customer } = given;
  if (given.amount < MINIMUM) {
    throw invalid("Amount must be at least 50 cents.", { code: "amount_too_small", param: "amount", early: true });
  }
  if (customer !== undefined) get(context, "customer", customer, "customer");
  checkConnect(context, given);
  return newIntent(context, {
    ...fromExtras(given),
    amount: given.amount,
    currency: given.currency,
    customer: customer ?? null,
    isAutomatic: given.automatic_payment_methods?.enabled ?? given.allowed_payment_method_types === undefined,
    method: methodFor(context, given) ?? null,
    allowedTypes: (given.allowed_payment_method_types as Stripe.PaymentIntent.AllowedPaymentMethodType[]) ?? null,
    methodTypes: given.allowed_payment_method_types ?? ["card", "us_bank_account"],
  });
}

/** Throws StripeError for accounts that are not there and fees that nobody would pay. */
export function checkConnect(context: Context, given: IntentExtras & { readonly amount: number }): void {
  const { transfer_data, application_fee_amount, on_behalf_of } = given;
  const platform = within(context, undefined);
  if (transfer_data !== undefined) checkDestination(context, transfer_data.destination, "transfer_data[destination]");
  if (on_behalf_of !== undefined) get(platform, "account", on_behalf_of, "on_behalf_of");
  const fee = application_fee_amount ?? 0;
  if (fee > 0 && context.account === undefined && transfer_data === undefined) {
    throw invalid(
      "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
      { param: "application_fee_amount" },
    );
  }
  if (fee > given.amount) {
    throw invalid("application_fee_amount must be less than or equal to the charge amount.", {
      param: "application_fee_amount",
    });
  }
}

function methodFor(
  context: Context,
  { payment_method, payment_method_data }: Pick<z.output<typeof Update>, "payment_method" | "payment_method_data">,
): string | undefined {
  if (payment_method_data !== undefined) return newPaymentMethod(context, payment_method_data).id;
  return payment_method === undefined ? undefined : methodOf(context, payment_method).id;
}

function confirmBy(
  context: Context,
  intent: Stripe.PaymentIntent,
  given: z.output<typeof Confirm>,
): Stripe.PaymentIntent {
  const method = methodFor(context, given);
  if (method !== undefined && intent.payment_method !== method) intent.payment_method = method;
  if (given.receipt_email !== undefined) intent.receipt_email = given.receipt_email;
  if (given.setup_future_usage !== undefined) intent.setup_future_usage = given.setup_future_usage;
  return confirm(context, intent, { isOffSession: given.off_session ?? false, returnUrl: given.return_url ?? null });
}

const CHANGEABLE = new Set(["requires_payment_method", "requires_confirmation", "requires_action"]);

/** What was paid can still be described differently. There is no event of that. */
function update(context: Context, intent: Stripe.PaymentIntent, given: z.output<typeof Update>): Stripe.PaymentIntent {
  const { metadata, description, receipt_email, transfer_group, ...rest } = given;
  const { customer, amount, currency, application_fee_amount } = rest;
  const isChanging = Object.values(rest).some((value) => value !== undefined);
  if (isChanging && !CHANGEABLE.has(intent.status)) {
    throw invalid(`This PaymentIntent cannot be updated because it has a status of ${intent.status}.`, {
      code: "payment_intent_unexpected_state",
      intent,
    });
  }
  if (customer !== undefined) get(context, "customer", customer, "customer");
  const method = methodFor(context, given);
  return change(context, intent, (changed) => {
    Object.assign(
      changed,
      defined({
        description,
        receipt_email,
        transfer_group,
        customer,
        amount,
        currency,
        application_fee_amount,
        payment_method: method,
      }),
    );
    Object.assign(
      changed,
      defined({
        setup_future_usage: rest.setup_future_usage,
        statement_descriptor: rest.statement_descriptor,
        capture_method: rest.capture_method,
      }),
    );
    if (method !== undefined) changed.status = "requires_confirmation";
    changeMetadata(changed.metadata, metadata);
  });
}
