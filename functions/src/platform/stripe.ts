import type Stripe from "stripe";
import { config, secrets } from "./config.ts";
import { Failure } from "./failure.ts";
import { log } from "./log.ts";

/**
 * The client of Stripe's API, for every module that moves money there. Each call that changes something has an idempotency key, and looks
 * for its own reference before it is tried anew: Stripe forgets keys after 24 hours. Source: https://docs.stripe.com/api/idempotent_requests
 */

const TIMEOUT_MILLIS = 8_000;
/** By the client itself, under the same idempotency key, when the connection breaks or Stripe says to. */
const MAX_RETRIES = 2;

const clients = new Map<string, Promise<Stripe>>();

/** Loads the package when it is first asked for: it is large, and most instances never are. */
export function stripe(): Promise<Stripe> {
  const key = secrets.stripeApiKey.value();
  const url = config.stripeUrl.value();
  const known = clients.get(`${key} ${url}`);
  if (known) return known;
  const client = connect(key, new URL(url));
  clients.set(`${key} ${url}`, client);
  return client;
}

async function connect(key: string, { protocol, hostname, port }: URL): Promise<Stripe> {
  const { default: Client } = await import("stripe");
  return new Client(key, {
    protocol: protocol === "http:" ? "http" : "https",
    host: hostname,
    ...(port === "" ? {} : { port }),
    timeout: TIMEOUT_MILLIS,
    maxNetworkRetries: MAX_RETRIES,
    telemetry: false,
  });
}

/**
 * What a call to Stripe ended in, for whoever must know whether it may have been carried out: `refused` was not, and says why; `unknown` may
 * have been, so that nothing may be undone because of it.
 */
export type StripeProblem =
  | { readonly outcome: "refused"; readonly code: string; readonly message: string; readonly declineCode?: string }
  | { readonly outcome: "unknown"; readonly message: string };

/** Types of errors by which Stripe says that it has not done it. Source: https://docs.stripe.com/api/errors */
const REFUSALS: ReadonlySet<string> = new Set([
  "StripeCardError",
  "StripeInvalidRequestError",
  "StripeAuthenticationError",
  "StripePermissionError",
]);

/** Reads an error of the Stripe client; undefined if it is none. */
export function stripeProblem(error: unknown): StripeProblem | undefined {
  if (!(error instanceof Error) || !("type" in error) || typeof error.type !== "string") return undefined;
  if (!error.type.startsWith("Stripe")) return undefined;
  const { message } = error;
  if (!REFUSALS.has(error.type)) return { outcome: "unknown", message };
  const field = (name: string) => {
    const value = name in error ? (error as unknown as Record<string, unknown>)[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const declineCode = field("decline_code");
  return {
    outcome: "refused",
    code: field("code") ?? error.type,
    message,
    ...(declineCode === undefined ? {} : { declineCode }),
  };
}

/** Runs calls to Stripe for a caller: what is not a refusal of theirs becomes `stripe-unavailable`, and the log knows what it was. */
export async function askStripe<T>(ask: (client: Stripe) => Promise<T>): Promise<T> {
  try {
    return await ask(await stripe());
  } catch (error) {
    const problem = stripeProblem(error);
    if (problem?.outcome !== "unknown") throw error;
    log.error("Stripe cannot be asked", error);
    throw new Failure("unavailable", "Stripe cannot be asked right now.", { reason: "stripe-unavailable" });
  }
}
