import { now } from "../platform/clock.ts";
import { timestamp } from "../platform/firestore.ts";
import type { Attempt } from "./records.ts";

/**
 * Calls to Stripe that make something must not make it twice, although an answer may be lost, Stripe answers with the same error for as long
 * as it knows an idempotency key, and forgets keys after a day (https://docs.stripe.com/api/idempotent_requests). So each call belongs to a
 * numbered try, written down before it and part of its key:
 *
 * - For some minutes after that the call may be made, as often as need be: it is the same key, and Stripe does it once.
 * - Then it is not made any more, and what is under way ends.
 * - When somebody has looked for what it makes after all that, and found nothing, it was not made, and the next try may begin.
 */

const CALLABLE_MILLIS = 5 * 60_000;
/** Longer by far than a call and the client's own repetitions of it can take. */
const SETTLED_MILLIS = 10 * 60_000;

/** `callable`: now. `settling`: neither this try nor the next one. `spent`: the next one. */
export type Standing = "callable" | "settling" | "spent";

/** @param lookedAt when the look began that found nothing, in milliseconds since the epoch */
export function standing({ at }: Attempt, lookedAt: number): Standing {
  const age = now() - at.toMillis();
  if (age < CALLABLE_MILLIS) return "callable";
  return lookedAt - at.toMillis() >= SETTLED_MILLIS ? "spent" : "settling";
}

export function firstAttempt(): Attempt {
  return { n: 1, at: timestamp() };
}

export function nextAttempt({ n }: Attempt): Attempt {
  return { n: n + 1, at: timestamp() };
}
