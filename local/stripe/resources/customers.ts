import type Stripe from "stripe";
import * as z from "zod";
import { type Context, get } from "../context.ts";
import { newCustomer } from "../customers.ts";
import { missing } from "../errors.ts";
import { change, emit } from "../events.ts";
import { is, isWithin, listOf } from "../list.ts";
import {
  address,
  changeMetadata,
  clearable,
  defined,
  id,
  integer,
  metadata,
  none,
  page,
  range,
  text,
} from "../params.ts";
import { addressOf, attach, methodOf } from "../payment-methods.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";
import { cancelNow } from "../subscription-changes.ts";

/** https://docs.stripe.com/api/customers */

const Details = z.strictObject({
  address: clearable(address).optional(),
  balance: integer.optional(),
  description: clearable(text).optional(),
  email: clearable(z.string().max(512)).optional(),
  invoice_settings: z.strictObject({ default_payment_method: clearable(id).optional() }).optional(),
  metadata: metadata.optional(),
  name: clearable(z.string().max(256)).optional(),
  phone: clearable(z.string().max(20)).optional(),
  preferred_locales: z.unknown().optional(),
  tax_exempt: z.enum(["", "none", "exempt", "reverse"]).optional(),
});
const Create = Details.extend({ payment_method: id.optional() });
const List = z.strictObject({ ...page, created: range.optional(), email: text.optional() });
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });
const Methods = z.strictObject({ ...page, type: text.optional(), allow_redisplay: text.optional() });

export const customers: readonly Route[] = [
  route("POST", "/v1/customers", Create, (context, { payment_method, ...details }) => {
    const customer = newCustomer(context);
    apply(context, customer, details);
    if (payment_method !== undefined) attach(context, methodOf(context, payment_method), customer.id);
    emit(context, "customer.created", customer);
    return customer;
  }),
  route("GET", "/v1/customers/search", Search, (context, params) =>
    searchOf(context, "customer", params, "/v1/customers/search"),
  ),
  route(
    "GET",
    "/v1/customers/:id",
    none,
    (context, _, id) => context.simulator.store.tombstone("customer", id) ?? get(context, "customer", id),
  ),
  route("POST", "/v1/customers/:id", Details, (context, details, id) =>
    change(context, get(context, "customer", id), (customer) => apply(context, customer, details), "customer.updated"),
  ),
  route("DELETE", "/v1/customers/:id", none, (context, _, id) => remove(context, get(context, "customer", id))),
  route("GET", "/v1/customers", List, (context, { created, email, ...params }) =>
    listOf(
      context,
      "customer",
      params,
      "/v1/customers",
      (customer) => isWithin(customer.created, created) && is(email, customer.email),
    ),
  ),
  route("GET", "/v1/customers/:id/payment_methods", Methods, (context, { type, ...params }, id) => {
    get(context, "customer", id);
    return listOf(
      context,
      "payment_method",
      params,
      `/v1/customers/${id}/payment_methods`,
      (method) => method.customer === id && is(type, method.type),
    );
  }),
  route("GET", "/v1/customers/:id/payment_methods/:method", none, (context, _, id, methodId) => {
    const method = get(context, "payment_method", methodId);
    if (method.customer !== id) throw missing("payment_method", methodId);
    return method;
  }),
];

function apply(context: Context, customer: Stripe.Customer, given: z.output<typeof Details>): void {
  const { balance, description, email, name, phone } = given;
  const method = given.invoice_settings?.default_payment_method;
  if (method !== undefined) {
    customer.invoice_settings.default_payment_method =
      method === null ? null : attach(context, methodOf(context, method), customer.id).id;
  }
  Object.assign(
    customer,
    defined({ balance, description, email, name, phone, address: given.address && addressOf(given.address) }),
  );
  if (given.tax_exempt) customer.tax_exempt = given.tax_exempt;
  changeMetadata(customer.metadata, given.metadata);
}

/** Ends their subscriptions too. */
function remove(context: Context, customer: Stripe.Customer): object {
  for (const subscription of context.simulator.store.all("subscription", context.account)) {
    if (subscription.customer === customer.id && subscription.status !== "canceled") cancelNow(context, subscription);
  }
  emit(context, "customer.deleted", customer);
  return context.simulator.store.bury("customer", customer.id);
}
