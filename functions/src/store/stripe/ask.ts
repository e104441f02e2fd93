import type Stripe from "stripe";
import { secrets } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";
import { log } from "../../platform/log.ts";
import { askStripe, stripeProblem } from "../../platform/stripe.ts";

/** Whether money is real, as the key says. */
export function isLive(): boolean {
  return /^[a-z]+_live_/.test(secrets.stripeApiKey.value());
}

/** These are about our key and no caller's fault. */
const OURS: ReadonlySet<string> = new Set(["StripeAuthenticationError", "StripePermissionError"]);

/** Refused for now: Stripe has not done it, and will when asked again. Source: https://docs.stripe.com/error-codes */
const FOR_NOW: ReadonlySet<string> = new Set(["lock_timeout", "rate_limit", "idempotency_key_in_use"]);

/** Asks Stripe for a caller. What Stripe refuses becomes `stripe-refused` with its `code`; what may have been done, `stripe-unavailable`. */
export async function ask<T>(work: (client: Stripe) => Promise<T>): Promise<T> {
  try {
    return await askStripe(work);
  } catch (error) {
    const problem = stripeProblem(error);
    if (problem?.outcome !== "refused") throw error;
    const { code, declineCode } = problem;
    const isOurs = error instanceof Error && "type" in error && OURS.has(String(error.type));
    if (isOurs || FOR_NOW.has(code)) {
      log.error("Stripe does not do what it should", error, { code });
      throw new Failure("unavailable", "Stripe cannot be asked right now.", { reason: "stripe-unavailable" });
    }
    log.warn("Stripe refuses", { code, message: problem.message });
    throw new Failure("failed-precondition", "Stripe does not do this.", {
      reason: "stripe-refused",
      code,
      ...(declineCode === undefined ? {} : { declineCode }),
    });
  }
}

/** Looks something up at Stripe; undefined if there is none, or none that our key may see. */
export async function find<T>(work: (client: Stripe) => Promise<T>): Promise<T | undefined> {
  try {
    return await ask(work);
  } catch (error) {
    if (error instanceof Failure && error.details.code === "resource_missing") return undefined;
    throw error;
  }
}

/** The id in a field that holds one, or the object of it. */
export function idOf(field: string | { readonly id: string } | null | undefined): string | undefined {
  return typeof field === "string" ? field : (field?.id ?? undefined);
}
