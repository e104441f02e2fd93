import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { Moment, timestamp } from "../../platform/firestore.ts";

/**
 * How often something was begun that Stripe must do once. Each attempt has an idempotency key of its own, which all that belongs to it
 * shares. Stripe keeps an answer under its key for a day, whatever it was, and then forgets that there was a request. So before a key is
 * used again, what our reference finds is taken for the answer.
 * Source: https://docs.stripe.com/api/idempotent_requests
 */
export const Attempt = z.object({ count: z.int().positive(), at: Moment });
export type Attempt = z.infer<typeof Attempt>;

/** Longer than any request is under way, and far shorter than Stripe keeps keys: what the reference does not find then was not made. */
const UNDER_WAY_MILLIS = 3_600_000;

export function firstAttempt(): Attempt {
  return { count: 1, at: timestamp() };
}

/** The attempt to go on with: the known one, or once that is past, another. */
export function attemptAfter(known: Attempt): Attempt {
  return now() - known.at.toMillis() < UNDER_WAY_MILLIS ? known : { count: known.count + 1, at: timestamp() };
}
