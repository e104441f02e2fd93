import * as z from "zod";
import { now } from "./clock.ts";
import { collection, FieldPath, FieldValue, Moment, Timestamp, type Transaction, timestamp } from "./firestore.ts";
import { deterministicId } from "./ids.ts";
import { log } from "./log.ts";

/**
 * Domain events: what has happened, told to whoever subscribes, at least once each. An event is created in the transaction of
 * what it tells of, so there is never one without the other. Reactions that run from lower to higher modules go this way.
 */

const Delivery = z.object({ state: z.enum(["done", "failing", "given-up"]), attempts: z.int().positive(), at: Moment });
type Delivery = z.infer<typeof Delivery>;

const OutboxRecord = z.object({
  type: z.string(),
  data: z.record(z.string(), z.json()),
  at: Moment,
  /** By subscriber: each has a record of its own, so that one that fails does not repeat the others. */
  deliveries: z.record(z.string(), Delivery),
  /** While somebody is still to be told: when the sweep looks at it. */
  dueAt: Moment.optional(),
  /** Firestore's TTL policy deletes delivered events after this. */
  expiresAt: Moment,
});
type OutboxRecord = z.infer<typeof OutboxRecord>;

export const outbox = () => collection("outbox", OutboxRecord);

export interface DomainEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, z.core.util.JSONType>>;
}

/** Reacts to events of one type. It may be told of an event more than once. */
export interface Subscriber {
  readonly name: string;
  readonly type: string;
  react(event: DomainEvent): Promise<void>;
}

const KEEP_MILLIS = 30 * 86_400_000;
const OVERDUE_MILLIS = 10 * 60_000;

/** Emits an event as part of a transaction. The key tells events of one type apart; the same key is the same event. */
export function emit(tx: Transaction, event: { type: string; key: string; data: DomainEvent["data"] }): void {
  const record: OutboxRecord = {
    type: event.type,
    data: event.data,
    at: timestamp(),
    deliveries: {},
    dueAt: timestamp(now() + OVERDUE_MILLIS),
    expiresAt: Timestamp.fromMillis(now() + KEEP_MILLIS),
  };
  tx.set(outbox().doc(deterministicId(event.type, event.key)), record);
}

const MAX_ATTEMPTS = 20;

/** Tells every subscriber of an event that has not been told. Throws if one could not take it and is to be told again. */
export async function deliver(id: string, subscribers: readonly Subscriber[]): Promise<void> {
  const reference = outbox().doc(id);
  const record = (await reference.get()).data();
  if (!record?.dueAt) return;
  const failures: unknown[] = [];
  for (const subscriber of subscribers) {
    const before = record.deliveries[subscriber.name];
    if (subscriber.type !== record.type || (before && before.state !== "failing")) continue;
    const attempts = (before?.attempts ?? 0) + 1;
    const { delivery, error } = await tell(subscriber, { id, type: record.type, data: record.data }, attempts);
    await reference.update(new FieldPath("deliveries", subscriber.name), delivery);
    if (delivery.state === "failing") failures.push(error);
  }
  const dueAt = failures.length === 0 ? FieldValue.delete() : timestamp(now() + OVERDUE_MILLIS);
  await reference.update({ dueAt });
  if (failures.length > 0) throw failures[0];
}

/** Tells one subscriber; one that fails too often is given up, so that an event it cannot take does not come for ever. */
async function tell(
  subscriber: Subscriber,
  event: DomainEvent,
  attempts: number,
): Promise<{ delivery: Delivery; error?: unknown }> {
  try {
    await subscriber.react(event);
    return { delivery: { state: "done", attempts, at: timestamp() } };
  } catch (error) {
    const state = attempts >= MAX_ATTEMPTS ? "given-up" : "failing";
    log.error("event not delivered", error, {
      id: event.id,
      type: event.type,
      subscriber: subscriber.name,
      attempts,
      state,
    });
    return { delivery: { state, attempts, at: timestamp() }, error };
  }
}

const SWEEP_PAGE = 100;

/** Delivers events that should have been delivered long ago. For a schedule. Returns how many were looked at. */
export async function sweepOutbox(subscribers: readonly Subscriber[]): Promise<number> {
  const overdue = await outbox().where("dueAt", "<", timestamp()).orderBy("dueAt").limit(SWEEP_PAGE).get();
  await Promise.allSettled(overdue.docs.map(({ id }) => deliver(id, subscribers)));
  return overdue.size;
}
