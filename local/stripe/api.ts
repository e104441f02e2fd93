import type { Context } from "./context.ts";
import { StripeError } from "./errors.ts";
import { expanded } from "./expand.ts";
import type { Fields } from "./form.ts";
import { list, parseParams, text } from "./params.ts";
import { accounts } from "./resources/accounts.ts";
import { charges } from "./resources/charges.ts";
import { checkout } from "./resources/checkout.ts";
import { customers } from "./resources/customers.ts";
import { events } from "./resources/events.ts";
import { invoices } from "./resources/invoices.ts";
import { money } from "./resources/money.ts";
import { paymentIntents } from "./resources/payment-intents.ts";
import { paymentMethods } from "./resources/payment-methods.ts";
import { products } from "./resources/products.ts";
import { subscriptionItems } from "./resources/subscription-items.ts";
import { subscriptions } from "./resources/subscriptions.ts";
import { type Match, Router } from "./router.ts";

/** The whole API, and what all of its methods have in common. */

const router = new Router([
  ...accounts,
  ...charges,
  ...checkout,
  ...customers,
  ...events,
  ...invoices,
  ...money,
  ...paymentIntents,
  ...paymentMethods,
  ...products,
  ...subscriptionItems,
  ...subscriptions,
]);

const paths = list(text, 50);

export function find(method: string, path: string): Match {
  return router.find(method, path);
}

/** Carries a request out. Throws StripeError. */
export function run(context: Context, { route, ids }: Match, { expand = "", ...fields }: Fields): object {
  const wanted = parseParams(paths, expand as Fields);
  // Whatever has become available by now is so in every answer.
  context.simulator.ledger.balance(context);
  try {
    return expanded(context, route.run(context, fields, ids), wanted);
  } catch (error) {
    throw error instanceof RangeError ? new StripeError(500, "api_error", error.message) : error;
  }
}
