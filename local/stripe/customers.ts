import type Stripe from "stripe";
import { type Context, keep, now } from "./context.ts";
import { newId, randomText } from "./ids.ts";

/** A customer, of whom nothing is known but perhaps a name. The caller tells of it. */
export function newCustomer(
  context: Context,
  { email = null, name = null }: { email?: string | null; name?: string | null } = {},
): Stripe.Customer {
  return keep(context, "customer", {
    id: newId("cus", 14),
    object: "customer",
    address: null,
    balance: 0,
    created: now(context),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: {},
    name,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: "none",
    test_clock: null,
  });
}
