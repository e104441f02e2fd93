import { all, type Context } from "./context.ts";
import { invalid } from "./errors.ts";

/**
 * Objects in the place of their ids, on demand: https://docs.stripe.com/api/expanding_objects. Some fields are there only when asked
 * for.
 */

const MAX_DEPTH = 4;
const MAX_PATHS = 50;

type Inclusion = (context: Context, object: Record<string, unknown>) => unknown;

/** Lists and secrets that an object has only when they are asked for, by kind and field. */
const INCLUDED: Readonly<Record<string, Readonly<Record<string, Inclusion>>>> = {
  charge: {
    refunds: (context, { id }) =>
      embedded(
        all(context, "refund")
          .filter(({ charge }) => charge === id)
          .reverse(),
        `/v1/charges/${id}/refunds`,
      ),
  },
  "checkout.session": {
    line_items: (context, { id }) =>
      embedded(context.simulator.carts.get(String(id))?.items ?? [], `/v1/checkout/sessions/${id}/line_items`),
  },
  customer: {
    subscriptions: (context, { id }) =>
      embedded(
        all(context, "subscription")
          .filter(({ customer, status }) => customer === id && status !== "canceled")
          .reverse(),
        `/v1/customers/${id}/subscriptions`,
      ),
  },
  invoice: {
    payments: (context, { id }) =>
      embedded(
        all(context, "invoice_payment")
          .filter(({ invoice }) => invoice === id)
          .reverse(),
        `/v1/invoice_payments?invoice=${id}`,
      ),
    confirmation_secret: (context, { id }) => {
      const payment = all(context, "invoice_payment").findLast(({ invoice }) => invoice === id)?.payment.payment_intent;
      const intent = typeof payment === "string" ? context.simulator.store.any(payment, context.account) : undefined;
      return intent === undefined
        ? null
        : { client_secret: (intent as { client_secret?: string }).client_secret, type: "payment_intent" };
    },
  },
};

/** A copy of an answer with what `paths` name in the place of ids. Throws StripeError for what cannot be expanded. */
export function expanded(context: Context, answer: object, paths: readonly string[]): object {
  if (paths.length === 0) return answer;
  if (paths.length > MAX_PATHS) throw invalid(`At most ${MAX_PATHS} properties can be expanded.`, { param: "expand" });
  const copy = structuredClone(answer);
  for (const path of paths) {
    const parts = path.split(".");
    if (parts.length - (parts[0] === "data" ? 1 : 0) > MAX_DEPTH) {
      throw invalid(`You can only expand up to ${MAX_DEPTH} levels.`, { param: "expand" });
    }
    expand(context, copy, parts, path);
  }
  return copy;
}

function expand(context: Context, at: unknown, [name = "", ...rest]: readonly string[], path: string): void {
  if (Array.isArray(at)) {
    for (const entry of at) expand(context, entry, [name, ...rest], path);
    return;
  }
  if (typeof at !== "object" || at === null) return;
  const object = at as Record<string, unknown>;
  const value = Object.hasOwn(object, name) ? object[name] : include(context, object, name, path);
  object[name] = resolved(context, value, path);
  if (rest.length > 0) expand(context, object[name], rest, path);
}

function include(context: Context, object: Record<string, unknown>, name: string, path: string): unknown {
  const kind = String(object["object"]);
  const inclusion = Object.hasOwn(INCLUDED, kind) ? INCLUDED[kind]?.[name] : undefined;
  if (inclusion !== undefined) return structuredClone(inclusion(context, object));
  // Parts of an object that depend on its type, such as those of payment_method_details, are absent when it is of another.
  if (object["object"] === undefined) return undefined;
  throw invalid(`This property cannot be expanded (${path}).`, { param: "expand" });
}

function resolved(context: Context, value: unknown, path: string): unknown {
  if (Array.isArray(value))
    return value.map((entry) => (typeof entry === "string" ? resolved(context, entry, path) : entry));
  if (typeof value !== "string") return value;
  const found = context.simulator.store.any(value, context.account);
  if (found === undefined) throw invalid(`This property cannot be expanded (${path}).`, { param: "expand" });
  return structuredClone(found);
}

function embedded(data: readonly object[], url: string): object {
  return { object: "list", data, has_more: false, url };
}
