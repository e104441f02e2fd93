import * as z from "zod";
import { get } from "../context.ts";
import { invalid } from "../errors.ts";
import { change } from "../events.ts";
import { is, listOf } from "../list.ts";
import {
  address,
  clearable,
  count,
  flag,
  id,
  list,
  metadata,
  newMetadata,
  none,
  page,
  reviseMetadata,
  text,
} from "../params.ts";
import { addressOf, attach, detach, methodOf, newPaymentMethod } from "../payment-methods.ts";
import { type Route, route } from "../router.ts";
import { confirmSetup, newSetupIntent } from "../setup-intents.ts";

/** https://docs.stripe.com/api/payment_methods, https://docs.stripe.com/api/setup_intents */

const billing = z.strictObject({
  address: clearable(address).optional(),
  email: clearable(text).optional(),
  name: clearable(text).optional(),
  phone: clearable(text).optional(),
});
/** A payment method described where it is used. */
export const methodData = z.strictObject({
  type: z.enum(["card", "us_bank_account", "sepa_debit"]),
  allow_redisplay: text.optional(),
  billing_details: billing.optional(),
  card: z
    .strictObject({
      number: text.optional(),
      token: text.optional(),
      exp_month: count.optional(),
      exp_year: count.optional(),
      cvc: text.optional(),
    })
    .optional(),
  metadata: metadata.optional(),
  sepa_debit: z.strictObject({ iban: text }).optional(),
  us_bank_account: z
    .strictObject({
      account_number: text,
      routing_number: text.optional(),
      account_holder_type: text.optional(),
      account_type: text.optional(),
    })
    .optional(),
});
const Update = z.strictObject({
  allow_redisplay: text.optional(),
  billing_details: billing.optional(),
  card: z.strictObject({ exp_month: count.optional(), exp_year: count.optional() }).optional(),
  metadata: metadata.optional(),
});
const List = z.strictObject({ ...page, customer: id.optional(), type: text.optional() });
const CreateSetup = z.strictObject({
  automatic_payment_methods: z.strictObject({ enabled: flag, allow_redirects: text.optional() }).optional(),
  confirm: flag.optional(),
  customer: id.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  payment_method: id.optional(),
  allowed_payment_method_types: list(text).optional(),
  return_url: text.optional(),
  usage: z.enum(["off_session", "on_session"]).optional(),
});
const ConfirmSetup = z.strictObject({
  payment_method: id.optional(),
  payment_method_data: methodData.optional(),
  return_url: text.optional(),
});
const ListSetups = z.strictObject({ ...page, customer: id.optional(), payment_method: id.optional() });

export const paymentMethods: readonly Route[] = [
  route("POST", "/v1/payment_methods", methodData, (context, given) => newPaymentMethod(context, given)),
  route("GET", "/v1/payment_methods/:id", none, (context, _, id) => methodOf(context, id)),
  route("POST", "/v1/payment_methods/:id", Update, (context, given, id) =>
    change(
      context,
      get(context, "payment_method", id),
      (method) => {
        const { address, ...rest } = given.billing_details ?? {};
        Object.assign(method.billing_details, rest);
        if (address !== undefined) method.billing_details.address = addressOf(address);
        if (method.card !== undefined) Object.assign(method.card, given.card ?? {});
        reviseMetadata(method, given.metadata);
      },
      "payment_method.updated",
    ),
  ),
  route("POST", "/v1/payment_methods/:id/attach", z.strictObject({ customer: id }), (context, { customer }, id) =>
    attach(context, methodOf(context, id), customer),
  ),
  route("POST", "/v1/payment_methods/:id/detach", none, (context, _, id) =>
    detach(context, get(context, "payment_method", id)),
  ),
  route("GET", "/v1/payment_methods", List, (context, { customer, type, ...params }) =>
    listOf(
      context,
      "payment_method",
      params,
      "/v1/payment_methods",
      (method) => is(customer, method.customer) && is(type, method.type),
    ),
  ),
  route("POST", "/v1/setup_intents", CreateSetup, (context, given) => {
    const { customer, payment_method } = given;
    if (customer !== undefined) get(context, "customer", customer, "customer");
    const setup = newSetupIntent(context, {
      customer: customer ?? null,
      description: given.description ?? null,
      isAutomatic: given.automatic_payment_methods?.enabled === true,
      metadata: newMetadata(given.metadata),
      method: payment_method === undefined ? null : methodOf(context, payment_method).id,
      methodTypes: given.allowed_payment_method_types ?? ["card"],
      usage: given.usage ?? "off_session",
    });
    return given.confirm === true ? confirmSetup(context, setup) : setup;
  }),
  route("GET", "/v1/setup_intents/:id", z.strictObject({ client_secret: text.optional() }), (context, _, id) =>
    get(context, "setup_intent", id),
  ),
  route(
    "POST",
    "/v1/setup_intents/:id/confirm",
    ConfirmSetup,
    (context, { payment_method, payment_method_data }, id) => {
      const setup = get(context, "setup_intent", id);
      if (payment_method !== undefined) setup.payment_method = methodOf(context, payment_method).id;
      if (payment_method_data !== undefined) setup.payment_method = newPaymentMethod(context, payment_method_data).id;
      return confirmSetup(context, setup);
    },
  ),
  route(
    "POST",
    "/v1/setup_intents/:id/cancel",
    z.strictObject({ cancellation_reason: text.optional() }),
    (context, _, id) => {
      const setup = get(context, "setup_intent", id);
      if (setup.status === "succeeded" || setup.status === "canceled") {
        throw invalid(`You cannot cancel this SetupIntent because it has a status of ${setup.status}.`, {
          code: "setup_intent_unexpected_state",
        });
      }
      return change(
        context,
        setup,
        (changed) => {
          changed.status = "canceled";
        },
        "setup_intent.canceled",
      );
    },
  ),
  route("GET", "/v1/setup_intents", ListSetups, (context, { customer, payment_method, ...params }) =>
    listOf(
      context,
      "setup_intent",
      params,
      "/v1/setup_intents",
      (setup) => is(customer, setup.customer) && is(payment_method, setup.payment_method),
    ),
  ),
];
