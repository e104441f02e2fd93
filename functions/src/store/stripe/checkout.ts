import type Stripe from "stripe";
import type * as z from "zod";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure, invalidInput } from "../../platform/failure.ts";
import { ask, idOf } from "./ask.ts";
import type { Checkout, CheckoutRequest } from "./contract.ts";
import { customerOf } from "./customer.ts";
import {
  type BegunOrder,
  beginOrder,
  isRefused,
  lookSince,
  type NewOrder,
  noteSeen,
  orderKey,
  orRefused,
  type Seen,
} from "./order.ts";
import { subscriptionPrice } from "./price.ts";
import type { Order } from "./records.ts";
import { returnUrl } from "./return-url.ts";
import { saleOf } from "./sale.ts";

/** Pages of Stripe's on which people pay: https://docs.stripe.com/api/checkout/sessions */

/** Sessions of one customer that are looked through for one that may have been made. */
const MAX_LOOKED = 300;
/** Who has one of these is subscribed. */
const HELD: ReadonlySet<string> = new Set(["active", "trialing", "past_due", "unpaid", "paused"]);

/**
 * Has the caller pay for a product on a page of Stripe's. The order is written down first; asked for again under its key, whatever has
 * become of its page is what is answered, and no second page is made that could be paid too. Of a subscription, pages of earlier orders for
 * the same product can be paid no longer.
 *
 * Refuses what {@link saleOf} does, `return-url-not-allowed`, `already-subscribed`, `limit-reached`, `idempotency-key-reused`,
 * `stripe-refused`, `stripe-unavailable`.
 *
 * Bill: 4 reads and 2 writes, the first time of a user 6 and 4; repeated 1 read.
 */
export async function checkout(caller: Caller, request: z.output<typeof CheckoutRequest>): Promise<Checkout> {
  const asOf = now();
  const begun = await beginOrder(caller.uid, request, () => plan(caller, request));
  if (isRefused(begun.order)) return { order: begun.id, state: "failed" };
  const session = await orRefused(begun.id, asOf, () => ask((client) => sessionOf(client, begun)));
  const order = await noteSeen(begun.id, seenOf(session, asOf), begun.order);
  const state = order?.state ?? begun.order.state;
  return { order: begun.id, state, ...(state === "open" && session.url ? { url: session.url } : {}) };
}

async function plan(caller: Caller, request: z.output<typeof CheckoutRequest>): Promise<NewOrder> {
  const { listed, ...sale } = await saleOf(request);
  const successUrl = returnUrl("successUrl", request.successUrl);
  const cancelUrl = returnUrl("cancelUrl", request.cancelUrl);
  const { subscription, limits } = listed;
  if (subscription && sale.count !== 1) throw invalidInput("count", "must be 1: it is a subscription");
  const customer = await customerOf(caller.uid);
  const order = { ...sale, customer, successUrl, cancelUrl, perUser: limits?.perUser };
  if (!subscription) return { ...order, kind: "checkout" };
  const isFirst = await isFirstSubscription(customer, request.product);
  const price = await subscriptionPrice(request.product, listed, request.currency);
  await ask((client) => closeOthers(client, customer, request.product));
  const trial = isFirst && subscription.trialDays !== undefined ? { trialDays: subscription.trialDays } : {};
  return { ...order, kind: "subscription", price, ...trial };
}

/** Nobody pays twice for the same, nor tries it twice for nothing. Refuses `already-subscribed`. */
async function isFirstSubscription(customer: string, product: string): Promise<boolean> {
  const all = await ask((client) =>
    client.subscriptions.list({ customer, status: "all", limit: 100 }).autoPagingToArray({ limit: MAX_LOOKED }),
  );
  const ours = all.filter(({ items }) => items.data.some(({ price }) => price.metadata.product === product));
  if (ours.some(({ status }) => HELD.has(status))) {
    throw new Failure("failed-precondition", "You have subscribed to this.", { reason: "already-subscribed", product });
  }
  return ours.length === 0;
}

/** Pages on which the same could be subscribed to once more, and tried once more for nothing, can be paid no longer. */
async function closeOthers(client: Stripe, customer: string, product: string): Promise<void> {
  const open = await client.checkout.sessions
    .list({ customer, status: "open", limit: 100 })
    .autoPagingToArray({ limit: MAX_LOOKED });
  for (const { id, mode, metadata } of open) {
    if (mode !== "subscription" || metadata?.product !== product) continue;
    await client.checkout.sessions.expire(id, {}, { idempotencyKey: `expire ${id}` });
  }
}

/** The page of an order: the known one, else one that was made although nobody heard of it, else a new one. */
async function sessionOf(client: Stripe, { id, order, isNew }: BegunOrder): Promise<Stripe.Checkout.Session> {
  if (order.session !== undefined) return await client.checkout.sessions.retrieve(order.session);
  const found = isNew ? undefined : await lookFor(client, id, order);
  return found ?? (await client.checkout.sessions.create(paramsOf(id, order), { idempotencyKey: orderKey(id, order) }));
}

async function lookFor(client: Stripe, id: string, order: Order): Promise<Stripe.Checkout.Session | undefined> {
  const made = await client.checkout.sessions
    .list({ customer: order.customer, created: { gte: lookSince(order.createdAt) }, limit: 100 })
    .autoPagingToArray({ limit: MAX_LOOKED });
  return made.find((session) => session.client_reference_id === id);
}

/** The same for the same order, or Stripe would not take its key twice. */
function paramsOf(id: string, order: Order): Stripe.Checkout.SessionCreateParams {
  const { user, customer, product = "", price, trialDays, successUrl = "", cancelUrl = "" } = order;
  const metadata = { order: id, user };
  const common = {
    customer,
    client_reference_id: id,
    metadata,
    success_url: successUrl,
    cancel_url: cancelUrl,
  };
  if (price !== undefined) {
    return {
      ...common,
      metadata: { ...metadata, product },
      mode: "subscription",
      line_items: [{ price, quantity: 1 }],
      subscription_data: {
        metadata,
        ...(trialDays === undefined ? {} : { trial_period_days: trialDays }),
      },
    };
  }
  return {
    ...common,
    mode: "payment",
    line_items: [
      {
        quantity: order.count,
        price_data: {
          currency: order.currency.toLowerCase(),
          unit_amount: order.amount / order.count,
          product_data: { name: order.title, metadata: { product } },
        },
      },
    ],
    payment_intent_data: { metadata },
  };
}

/** What a page says of its order. A payment that takes days leaves it complete and unpaid, and complete it stays when that fails. */
export function seenOf(session: Stripe.Checkout.Session, asOf: number): Seen {
  const payment = idOf(session.payment_intent);
  const subscription = idOf(session.subscription);
  return {
    state: stateOf(session),
    asOf,
    session: session.id,
    ...(payment === undefined ? {} : { payment }),
    ...(subscription === undefined ? {} : { subscription }),
  };
}

function stateOf({ status, payment_status, payment_intent }: Stripe.Checkout.Session): Seen["state"] {
  if (status === "expired") return "expired";
  if (status !== "complete") return "open";
  if (payment_status !== "unpaid") return "paid";
  const intent = typeof payment_intent === "object" ? payment_intent?.status : undefined;
  return intent === "requires_payment_method" || intent === "canceled" ? "failed" : "processing";
}
