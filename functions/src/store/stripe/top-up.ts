import type Stripe from "stripe";
import type * as z from "zod";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { invalidInput } from "../../platform/failure.ts";
import { ask } from "./ask.ts";
import type { TopUp, TopUpRequest } from "./contract.ts";
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
import type { Order } from "./records.ts";
import { saleOf, topUpOf } from "./sale.ts";

/** Payments that apps show themselves, with Stripe.js: https://docs.stripe.com/api/payment_intents */

/** Payments of one customer that are looked through for one that may have been made. */
const MAX_LOOKED = 300;
/** Nothing can be paid any more, or has been. */
const OVER: ReadonlySet<string> = new Set(["paid", "canceled", "failed", "expired", "processing"]);

/**
 * Has the caller pay money into the wallet, or for a product, in the app itself. Which means of payment there are, whether the bank asks
 * the holder, and whether the money is sure at once is between Stripe.js and Stripe; the wallet hears of it by webhook.
 *
 * Refuses what {@link saleOf} and {@link topUpOf} do, `limit-reached`, `idempotency-key-reused`, `stripe-refused`, `stripe-unavailable`.
 *
 * Bill: 4 reads and 2 writes, the first time of a user 6 and 4; repeated 1 read.
 */
export async function topUp(caller: Caller, request: z.output<typeof TopUpRequest>): Promise<TopUp> {
  const asOf = now();
  const begun = await beginOrder(caller.uid, request, () => plan(caller, request));
  const { amount, currency } = begun.order;
  if (isRefused(begun.order)) return { order: begun.id, state: "failed", amount, currency };
  const intent = await orRefused(begun.id, asOf, () => ask((client) => intentOf(client, begun)));
  const { state } =
    (await noteSeen(begun.id, { ...seenOf(intent, asOf), payment: intent.id }, begun.order)) ?? begun.order;
  const secret = OVER.has(state) || intent.client_secret === null ? {} : { clientSecret: intent.client_secret };
  return { order: begun.id, state, amount, currency, ...secret };
}

async function plan(caller: Caller, request: z.output<typeof TopUpRequest>): Promise<NewOrder> {
  const { amount, product, currency, count, country } = request;
  if ((amount === undefined) === (product === undefined)) {
    throw invalidInput("amount", "must be given, or a product instead");
  }
  if (product === undefined) {
    const sale = topUpOf(currency, amount ?? 0);
    return { ...sale, kind: "payment", customer: await customerOf(caller.uid) };
  }
  const { listed, ...sale } = await saleOf({ product, count, currency, country });
  if (listed.subscription) throw invalidInput("product", "must not be a subscription");
  return { ...sale, kind: "payment", customer: await customerOf(caller.uid), perUser: listed.limits?.perUser };
}

/** The payment of an order: the known one, else one that was made although nobody heard of it, else a new one. */
async function intentOf(client: Stripe, { id, order, isNew }: BegunOrder): Promise<Stripe.PaymentIntent> {
  if (order.payment !== undefined) return await client.paymentIntents.retrieve(order.payment);
  const found = isNew ? undefined : await lookFor(client, id, order);
  return (
    found ??
    (await client.paymentIntents.create(
      {
        amount: order.amount,
        currency: order.currency.toLowerCase(),
        customer: order.customer,
        automatic_payment_methods: { enabled: true },
        description: order.title,
        metadata: { order: id, user: order.user },
      },
      { idempotencyKey: orderKey(id, order) },
    ))
  );
}

async function lookFor(client: Stripe, id: string, order: Order): Promise<Stripe.PaymentIntent | undefined> {
  const made = await client.paymentIntents
    .list({ customer: order.customer, created: { gte: lookSince(order.createdAt) }, limit: 100 })
    .autoPagingToArray({ limit: MAX_LOOKED });
  return made.find(({ metadata }) => metadata.order === id);
}

/** What a payment says of its order. One that was declined can be tried again with another card. */
export function seenOf(intent: Stripe.PaymentIntent, asOf: number): Seen {
  const problem = intent.last_payment_error?.decline_code ?? intent.last_payment_error?.code;
  const isOpen = intent.status !== "succeeded" && intent.status !== "processing";
  return {
    state: stateOf(intent),
    asOf,
    payment: intent.id,
    ...(isOpen && problem ? { problem } : {}),
  };
}

function stateOf({ status }: Stripe.PaymentIntent): Seen["state"] {
  if (status === "succeeded") return "paid";
  if (status === "processing") return "processing";
  return status === "canceled" ? "canceled" : "open";
}
