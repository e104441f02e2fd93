import type Stripe from "stripe";
import { type StripeProblem, stripe, stripeProblem } from "../platform/stripe.ts";

/** What a call to Stripe has come to. Of `refused` it is certain that it was not carried out, of `unknown` nothing is. */
export type Called<T> = { readonly outcome: "done"; readonly value: T } | StripeProblem;

export async function call<T>(ask: (client: Stripe) => Promise<T>): Promise<Called<T>> {
  try {
    return { outcome: "done", value: await ask(await stripe()) };
  } catch (error) {
    const problem = stripeProblem(error);
    if (!problem) throw error;
    return problem;
  }
}

/** Refusals that are about us or about now, and not about the withdrawal: it may be tried again. */
const FOR_NOW: ReadonlySet<string> = new Set([
  "balance_insufficient",
  "api_key_expired",
  "platform_api_key_expired",
  "StripeAuthenticationError",
]);

export function isForNow(problem: StripeProblem): boolean {
  return problem.outcome === "unknown" || FOR_NOW.has(problem.code);
}

export function wordsOf(problem: StripeProblem): string {
  return problem.outcome === "refused" ? `${problem.code}: ${problem.message}` : `no answer: ${problem.message}`;
}

/** All transfers that are made for a withdrawal are in a group of its own, by which they are found. */
export function groupOf(withdrawal: string): string {
  return `withdrawal_${withdrawal}`;
}

const PAGE = 100;
const MAX_PAGES = 20;

/**
 * Looks through a list of Stripe's, newest first, for the first object that fits; undefined if there is none.
 * Throws if the list is longer than 2,000: then nothing is known.
 */
export async function find<T extends { readonly id: string }>(
  list: (page: { limit: number; starting_after?: string }) => Promise<{ data: T[]; has_more: boolean }>,
  fits: (object: T) => boolean,
): Promise<T | undefined> {
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { data, has_more } = await list({ limit: PAGE, ...(after === undefined ? {} : { starting_after: after }) });
    const found = data.find(fits);
    if (found || !has_more) return found;
    after = data.at(-1)?.id;
  }
  throw new Error(`nothing was found among ${PAGE * MAX_PAGES} objects, and there are more`);
}
