import { Failure, keyReused } from "../../platform/failure.ts";
import { type Timestamp, type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId, fingerprint, isDocumentId } from "../../platform/ids.ts";
import type { Outcome } from "../../platform/webhooks.ts";
import { attemptAfter, firstAttempt } from "./attempt.ts";
import { type Order, type OrderState, orders } from "./records.ts";

/** What Stripe said of an order, and when it was asked, in milliseconds since the epoch. */
export type Seen = Pick<Order, "state"> & {
  readonly asOf: number;
} & Partial<Pick<Order, "session" | "payment" | "subscription" | "problem">>;

/** An order to be carried out. */
export interface BegunOrder {
  readonly id: string;
  readonly order: Order;
  /** Whether it was written down just now, so that Stripe cannot have heard of it. */
  readonly isNew: boolean;
}

/** What is written down of an order before Stripe is asked. */
export type NewOrder = Omit<
  Order,
  "user" | "state" | "attempt" | "fingerprint" | "asOf" | "createdAt" | "updatedAt"
> & {
  /** How many of the product a user may have bought. */
  readonly perUser?: number | undefined;
};

/** How far a user's orders of a product are counted. */
const MAX_COUNTED = 1_000;

/** The id of the order that a user has given this key. */
function orderId(user: string, key: string): string {
  return deterministicId("order", user, key);
}

/**
 * The order under a user's key; begun if there is none, with what `plan` says. What is asked for again is gone on with as it was written
 * down then, whatever the catalog says now. Refuses `idempotency-key-reused`, and `limit-reached`.
 *
 * Bill: 2 reads and 1 write; repeated 1 read, and a read and a write more if Stripe was not heard of for an hour. With a limit a read for each order of the product, too.
 */
export async function beginOrder(
  user: string,
  request: { readonly key: string },
  plan: () => Promise<NewOrder>,
): Promise<BegunOrder> {
  const id = orderId(user, request.key);
  const print = fingerprint(request);
  const known = (await orders().doc(id).get()).data();
  if (known) return { id, order: await goOn(id, same(known, print)), isNew: false };
  const { perUser, ...planned } = await plan();
  return await transact(async (tx) => {
    const meanwhile = (await tx.get(orders().doc(id))).data();
    if (meanwhile) return { id, order: same(meanwhile, print), isNew: false };
    if (perUser !== undefined) await refuseTooMany(tx, user, { ...planned, perUser });
    const at = timestamp();
    const order: Order = {
      ...planned,
      user,
      state: "created",
      attempt: firstAttempt(),
      fingerprint: print,
      createdAt: at,
      updatedAt: at,
    };
    tx.create(orders().doc(id), order);
    return { id, order, isNew: true };
  });
}

async function goOn(id: string, known: Order): Promise<Order> {
  if (isUnderWay(known)) return known;
  return await transact(async (tx) => {
    const order = (await tx.get(orders().doc(id))).data() ?? known;
    if (isUnderWay(order)) return order;
    const attempt = attemptAfter(order.attempt);
    tx.update(orders().doc(id), { attempt, updatedAt: timestamp() });
    return { ...order, attempt };
  });
}

/** Whether there is no other attempt to be made. */
function isUnderWay({ state, attempt }: Order): boolean {
  return state !== "created" || attemptAfter(attempt) === attempt;
}

function same(order: Order, print: string): Order {
  if (order.fingerprint === print) return order;
  throw keyReused();
}

const COUNTED: readonly OrderState[] = ["created", "open", "processing", "paid"];

/** Orders that can still be paid count as bought. */
async function refuseTooMany(
  tx: Transaction,
  user: string,
  { product, count, perUser }: Pick<NewOrder, "product" | "count"> & { readonly perUser: number },
): Promise<void> {
  const query = orders().where("user", "==", user).where("product", "==", product).where("state", "in", COUNTED);
  const { docs } = await tx.get(query.limit(MAX_COUNTED));
  const bought = docs.reduce((sum, document) => sum + document.data().count, 0);
  if (bought + count <= perUser) return;
  throw new Failure("failed-precondition", "You have bought as many as you may.", {
    reason: "limit-reached",
    limit: perUser,
    remaining: Math.max(0, perUser - bought),
  });
}

/** An order after what Stripe said. What was asked last counts, but that it was paid counts in any case. */
export function withSeen(order: Order, { asOf, state, problem, ...ids }: Seen): Order {
  const isNews = state === "paid" || asOf >= (order.asOf?.toMillis() ?? 0);
  if (order.state === "paid" || !isNews) return { ...ids, ...order, updatedAt: timestamp() };
  const { problem: _, ...rest } = order;
  return {
    ...ids,
    ...rest,
    state,
    ...(problem === undefined ? {} : { problem }),
    asOf: timestamp(asOf),
    updatedAt: timestamp(),
  };
}

/** Notes what Stripe said of an order, if it is news. A read and a write, or nothing. @param known as it was read */
export async function noteSeen(id: string, seen: Seen, known?: Order): Promise<Order | undefined> {
  if (known && isKnown(known, seen)) return known;
  return await transact(async (tx) => {
    const order = (await tx.get(orders().doc(id))).data();
    if (!order) return undefined;
    const next = withSeen(order, seen);
    tx.set(orders().doc(id), next);
    return next;
  });
}

function isKnown(order: Order, { asOf: _, ...seen }: Seen): boolean {
  if (order.problem !== seen.problem) return false;
  return Object.entries(seen).every(([name, value]) => order[name as keyof typeof seen] === value);
}

/** What a page without a payment of its own says of its order, as part of a Firestore transaction. */
export async function noteOrder(tx: Transaction, id: string, seen: Seen): Promise<Outcome> {
  const order = isDocumentId(id) ? (await tx.get(orders().doc(id))).data() : undefined;
  if (!order) return { result: "ignored", reason: "unknown-order" };
  const next = withSeen(order, seen);
  tx.set(orders().doc(id), next);
  return { result: next.state, order: id };
}

/** What a call out for an order is made under. */
export function orderKey(id: string, { attempt }: Pick<Order, "attempt">): string {
  return `order ${id} ${attempt.count}`;
}

/** When to look for what was made for an order: Stripe's clock may differ from ours. In seconds since the epoch. */
export function lookSince(createdAt: Timestamp): number {
  return Math.floor(createdAt.toMillis() / 1_000) - 300;
}

/** Whether Stripe has refused the order, so that there is nothing to ask about. */
export function isRefused({ state, session, payment }: Order): boolean {
  return state === "failed" && session === undefined && payment === undefined;
}

/** Carries an order's call out; what Stripe refuses is the end of the order. */
export async function orRefused<T>(id: string, asOf: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure && error.reason === "stripe-refused") {
      await noteSeen(id, { state: "failed", asOf, problem: String(error.details.code) });
    }
    throw error;
  }
}
