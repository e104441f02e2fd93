import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Customer, Customers, Purchase } from "./customers.ts";
import type { Deliveries, Delivery } from "./deliveries.ts";
import {
  aliasBody,
  currencyBody,
  type EventType,
  otherBody,
  temporaryBody,
  testBody,
  transferBody,
  type WebhookBody,
  webhookBody,
} from "./wire.ts";

/** What people and stores do, below `/simulator/`; each answers with the webhook that tells of it and the tries at it. */

const MAX_HELD = 10_000;

const Id = z.string().min(1);

/** How a webhook is delivered. */
const Manner = {
  /** Keeps it back until it is redelivered or `flushes` sends all that are. */
  hold: z.boolean().default(false),
  /** How often it is sent, all at once. */
  copies: z.int().min(1).max(5).default(1),
  delayMillis: z.int().min(0).max(60_000).default(0),
};
type Manner = { readonly [Name in keyof typeof Manner]: z.output<(typeof Manner)[Name]> };

const Buy = z.object({
  customer: Id,
  product: Id,
  kind: z.enum(["subscription", "consumable"]),
  store: z.string().optional(),
  environment: z.enum(["PRODUCTION", "SANDBOX"]).optional(),
  entitlements: z.array(z.string()).optional(),
  price: z.number().optional(),
  currency: z.string().length(3).optional(),
  days: z.number().positive().optional(),
  periodType: z.enum(["NORMAL", "TRIAL", "INTRO"]).optional(),
  transaction: z.string().optional(),
  ...Manner,
});

const Change = z.object({
  customer: Id,
  product: Id,
  refund: z.boolean().default(false),
  /** Of grace, of a pause, by which it is extended. */
  days: z.number().min(0).max(366).default(7),
  /** The product that it becomes. */
  to: Id.default("another"),
  /** Of a change: at once, and not when it renews. */
  immediate: z.boolean().default(false),
  ...Manner,
});
type Change = z.output<typeof Change>;

const Pair = z.object({ from: Id, to: Id, ...Manner });
const Temporary = z.object({
  customer: Id,
  product: Id,
  transaction: Id,
  hours: z.number().positive().max(24).default(24),
  ...Manner,
});
const Virtual = z.object({
  customer: Id,
  code: Id,
  amount: z.int(),
  source: Id.default("admin_api"),
  product: Id.optional(),
  ...Manner,
});
const Other = z.object({ customer: Id, type: z.string().regex(/^[A-Z_]{1,100}$/), ...Manner });
const Redeliver = z.object({ event: Id });
const Flush = z.object({ order: z.enum(["as-made", "reversed", "shuffled"]).default("as-made") });

export interface World {
  readonly customers: Customers;
  readonly deliveries: Deliveries;
}

type Action = (world: World, body: unknown) => Promise<object> | object;

/** Each by the path that it has below `/simulator/`. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  purchases: ({ customers, deliveries }, body) => {
    const { customer, hold, copies, delayMillis, ...bought } = Buy.parse(body);
    const purchase = customers.purchase(customer, bought);
    const type = purchase.kind === "subscription" ? "INITIAL_PURCHASE" : "NON_RENEWING_PURCHASE";
    return dispatch(deliveries, webhookBody(type, customers.get(customer), purchase), { hold, copies, delayMillis });
  },
  renewals: change("RENEWAL", (customers, { customer, product }) => customers.renew(customer, product)),
  cancellations: change("CANCELLATION", (customers, { customer, product, refund }) =>
    customers.cancel(customer, product, refund),
  ),
  uncancellations: change("UNCANCELLATION", (customers, { customer, product }) =>
    customers.uncancel(customer, product),
  ),
  expirations: change("EXPIRATION", (customers, { customer, product }) => customers.expire(customer, product)),
  billingIssues: change("BILLING_ISSUE", (customers, { customer, product, days }) =>
    customers.fail(customer, product, days),
  ),
  pauses: change("SUBSCRIPTION_PAUSED", (customers, { customer, product, days }) =>
    customers.pause(customer, product, days),
  ),
  extensions: change("SUBSCRIPTION_EXTENDED", (customers, { customer, product, days }) =>
    customers.extend(customer, product, days),
  ),
  changes: async (world, body) => {
    const { customer, product, to, immediate, ...manner } = Change.parse(body);
    const { customers, deliveries } = world;
    const old = customers.change(customer, product, to);
    const told = webhookBody("PRODUCT_CHANGE", customers.get(customer), old);
    if (!immediate) return await dispatch(deliveries, told, manner);
    const bought = customers.upgrade(customer, product, to);
    const paid = dispatch(deliveries, webhookBody("RENEWAL", customers.get(customer), bought), manner);
    const [changed] = await Promise.all([dispatch(deliveries, told, manner), paid]);
    return changed;
  },
  reversals: change("REFUND_REVERSED", (customers, { customer, product }) => customers.reverse(customer, product)),
  earlierRefunds: ({ customers }, body) => {
    const { customer, product } = Change.parse(body);
    return { refunded: customers.refundEarlier(customer, product).earlier.at(-1)?.transaction };
  },
  transfers: ({ customers, deliveries }, body) => {
    const { from, to, ...manner } = Pair.parse(body);
    customers.transfer(from, to);
    return dispatch(deliveries, transferBody(customers.get(from).ids, customers.get(to).ids), manner);
  },
  aliases: ({ customers, deliveries }, body) => {
    const { from, to, ...manner } = Pair.parse(body);
    return dispatch(deliveries, aliasBody(customers.alias(from, to)), manner);
  },
  temporaryGrants: ({ customers, deliveries }, body) => {
    const { customer, hold, copies, delayMillis, ...granted } = Temporary.parse(body);
    return dispatch(deliveries, temporaryBody(customers.get(customer), granted), { hold, copies, delayMillis });
  },
  virtualCurrencies: ({ customers, deliveries }, body) => {
    const { customer, hold, copies, delayMillis, ...made } = Virtual.parse(body);
    return dispatch(deliveries, currencyBody(customers.get(customer), made), { hold, copies, delayMillis });
  },
  others: ({ customers, deliveries }, body) => {
    const { customer, type, ...manner } = Other.parse(body);
    return dispatch(deliveries, otherBody(type, customers.get(customer)), manner);
  },
  tests: ({ deliveries }) => dispatch(deliveries, testBody(), { hold: false, copies: 1, delayMillis: 0 }),
  redeliveries: async ({ deliveries }, body) => {
    const delivery = deliveries.get(Redeliver.parse(body).event);
    if (!delivery) throw new UnknownEvent();
    await deliveries.send(delivery);
    return shown(delivery);
  },
  flushes: async ({ deliveries }, body) => {
    const { order } = Flush.parse(body);
    const held = deliveries.all.filter(({ attempts }) => attempts.length === 0).slice(0, MAX_HELD);
    const sent = arranged(held, order);
    for (const delivery of sent) await deliveries.deliver(delivery);
    return { deliveries: sent.map(shown) };
  },
};

export class UnknownEvent extends Error {
  constructor() {
    super("There is no such event.");
  }
}

function change(type: EventType, make: (customers: Customers, change: Change) => Purchase): Action {
  return async ({ customers, deliveries }, body) => {
    const parsed = Change.parse(body);
    const purchase = make(customers, parsed);
    const customer: Customer = customers.get(parsed.customer);
    return await dispatch(deliveries, webhookBody(type, customer, purchase), parsed);
  };
}

async function dispatch(
  deliveries: Deliveries,
  body: WebhookBody,
  { hold, copies, delayMillis }: Manner,
): Promise<object> {
  const delivery = deliveries.hold(body);
  if (hold) return shown(delivery);
  await sleep(delayMillis);
  await Promise.all(Array.from({ length: copies }, () => deliveries.deliver(delivery)));
  return shown(delivery);
}

function arranged(held: readonly Delivery[], order: z.output<typeof Flush>["order"]): Delivery[] {
  if (order === "reversed") return held.toReversed();
  if (order === "as-made") return [...held];
  return held
    .map((delivery) => ({ delivery, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ delivery }) => delivery);
}

export function shown({ body, attempts }: Delivery): object {
  const answered = attempts.map((attempt) => ({ ...attempt, answer: parsed(attempt.answer) }));
  return { event: body.event.id, type: body.event.type, attempts: answered, body };
}

/** What was answered, as JSON if it is. */
function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
