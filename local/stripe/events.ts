import type Stripe from "stripe";
import { type Context, DAY, keep, now } from "./context.ts";
import { newId } from "./ids.ts";
import type { StoredEvent } from "./store.ts";
import { API_VERSION } from "./version.ts";

/** Every change makes an event, which webhooks tell and `GET /v1/events` lists: https://docs.stripe.com/api/events */

/** Connected accounts are told of the payments that transfers make by a type that the client's list does not have. */
export type EventType = Stripe.Event["type"] | "payment.created";

/** https://docs.stripe.com/api/events: "30 days". */
const KEPT_DAYS = 30;
const MAX_EVENTS = 20_000;

/** Changes an object, and tells it by events of these types with what was there before. Nothing is said to be updated that was not. */
export function change<T extends object>(
  context: Context,
  object: T,
  mutate: (object: T) => void,
  ...types: EventType[]
): T {
  const before = structuredClone(object);
  mutate(object);
  const previous = differences(before, object);
  const isChanged = Object.keys(previous).length > 0;
  for (const type of types) if (isChanged || !type.endsWith(".updated")) emit(context, type, object, previous);
  return object;
}

/** Makes an event with a copy of the object as it is now. */
export function emit(context: Context, type: EventType, object: object, previous: object = {}): StoredEvent {
  const { simulator, account, request } = context;
  const event: StoredEvent = {
    id: newId("evt"),
    object: "event",
    ...(account === undefined ? {} : { account }),
    api_version: API_VERSION,
    created: now(context),
    data: {
      object: structuredClone(object),
      ...(Object.keys(previous).length === 0 ? {} : { previous_attributes: previous }),
    },
    livemode: false,
    pending_webhooks: 0,
    request: { id: request?.id ?? null, idempotency_key: request?.idempotencyKey ?? null },
    type,
  };
  forgetOld(context);
  keep(context, "event", event);
  simulator.webhooks.tell(event);
  return event;
}

/** Lets go of events that are too old or too many. */
export function forgetOld(context: Context): void {
  const { store } = context.simulator;
  const limit = now(context) - KEPT_DAYS * DAY;
  for (let i = 0; i < MAX_EVENTS; i++) {
    const oldest = store.oldest("event", context.account);
    const isKept =
      oldest !== undefined && oldest.created >= limit && store.count("event", context.account) < MAX_EVENTS;
    if (oldest === undefined || isKept) return;
    store.remove("event", oldest.id);
  }
}

/** What the fields that changed were before; of nested objects too, of lists as a whole. */
function differences(before: object, after: object): Record<string, unknown> {
  const previous: Record<string, unknown> = {};
  const old = before as Record<string, unknown>;
  for (const [name, value] of Object.entries(after)) {
    const was = old[name] ?? null;
    if (JSON.stringify(was) === JSON.stringify(value ?? null)) continue;
    previous[name] = isPlain(was) && isPlain(value) ? differences(was, value) : structuredClone(was);
  }
  for (const name of Object.keys(old)) if (!(name in after)) previous[name] = structuredClone(old[name]);
  return previous;
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
