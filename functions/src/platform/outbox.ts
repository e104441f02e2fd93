import * as z from "zod";
import { now } from "./clock.ts";
import { collection, Moment, Timestamp, type Transaction, timestamp } from "./firestore.ts";
import { deterministicId } from "./ids.ts";
import { log } from "./log.ts";

/**
 * Domain events: what has happened, told to whoever subscribes, at least once each. An event is created in the transaction of
 * what it tells of, so there is never one without the other. Reactions that run from lower to higher modules go this way.
 */

const Delivery = z.object({ state: z.enum(["done", "failed"]), attempts: z.int().positive(), at: Moment });

const OutboxRecord = z.object({
  type: z.string(),
  data: z.record(z.string(), z.json()),
  at: Moment,
  /** By subscriber: each has a record of its own, so that one that fails does not repeat the others. */
  deliveries: z.record(z.string(), Delivery),
  state: z.enum(["pending", "done"]),
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

/** Emits an event as part of a transaction. The key tells events of one type apart; the same key is the same event. */
export function emit(tx: Transaction, event: { type: string; key: string; data: DomainEvent["data"] }): void {
  const record: OutboxRecord = {
    type: event.type,
    data: event.data,
    at: timestamp(),
    deliveries: {},
    state: "pending",
    expiresAt: Timestamp.fromMillis(now() + KEEP_MILLIS),
  };
  tx.set(outbox().doc(deterministicId(event.type, event.key)), record);
}

/** Tells every subscriber of an event that has not been told. Throws if one failed, so that the caller tries again. */
export async function deliver(id: string, subscribers: readonly Subscriber[]): Promise<void> {
  const reference = outbox().doc(id);
  const record = (await reference.get()).data();
  if (!record || record.state === "done") return;
  const failures: unknown[] = [];
  for (const subscriber of subscribers) {
    const delivery = record.deliveries[subscriber.name];
    if (subscriber.type !== record.type || delivery?.state === "done") continue;
    const attempts = (delivery?.attempts ?? 0) + 1;
    try {
      await subscriber.react({ id, type: record.type, data: record.data });
      record.deliveries[subscriber.name] = { state: "done", attempts, at: timestamp() };
    } catch (error) {
      log.error("event not delivered", error, { id, type: record.type, subscriber: subscriber.name, attempts });
      record.deliveries[subscriber.name] = { state: "failed", attempts, at: timestamp() };
      failures.push(error);
    }
  }
  await reference.update({ deliveries: record.deliveries, state: failures.length === 0 ? "done" : "pending" });
  if (failures.length > 0) throw failures[0];
}

const SWEEP_PAGE = 100;
const OVERDUE_MILLIS = 10 * 60_000;

/** Delivers events that should have been delivered long ago. For a schedule. Returns how many were looked at. */
export async function sweepOutbox(subscribers: readonly Subscriber[]): Promise<number> {
  const before = timestamp(now() - OVERDUE_MILLIS);
  const overdue = await outbox().where("state", "==", "pending").where("at", "<", before).limit(SWEEP_PAGE).get();
  await Promise.allSettled(overdue.docs.map(({ id }) => deliver(id, subscribers)));
  return overdue.size;
}
