import * as z from "zod";
import { Flag, Natural } from "./parameters.ts";
import { Ring } from "./ring.ts";

/** What is remembered of calls of functions. Never what they were sent or answered, nor a token. */

export interface Invocation {
  /** Counts up. */
  readonly id: number;
  /** When it had answered, in milliseconds since the epoch. */
  readonly at: number;
  /** Of the function, with its region in front: `us-central1-api`. */
  readonly name: string;
  /** What set it off: `https`, `callable`, `schedule`, `task`, or the type of its event. */
  readonly trigger: string;
  /** Of an HTTPS request, with its method; without the query. */
  readonly path?: string | undefined;
  /** Who called, by the token of the request. */
  readonly user?: string | undefined;
  /** Of HTTP; 0: nobody waited for the answer. */
  readonly status: number;
  readonly isFailed: boolean;
  readonly millis: number;
}

const MAX_INVOCATIONS = 1_000;
/** Kept besides, so that those that went well do not wash them away. */
const MAX_FAILED = 200;

export const InvocationFilter = z.object({
  failed: Flag,
  /** Part of the name or the path. */
  name: z.string().max(200).default(""),
  after: Natural.default(0),
  limit: Natural.min(1).max(MAX_INVOCATIONS).default(200),
});
export type InvocationFilter = z.infer<typeof InvocationFilter>;

export class Invocations {
  readonly #recent = new Ring<Invocation>(MAX_INVOCATIONS);
  readonly #failed = new Ring<Invocation>(MAX_FAILED);
  #count = 0;
  #failures = 0;

  keep(invocation: Omit<Invocation, "id">): void {
    const kept = { id: ++this.#count, ...invocation };
    if (kept.isFailed) this.#failures++;
    (kept.isFailed ? this.#failed : this.#recent).push(kept);
  }

  get total(): { readonly calls: number; readonly failed: number } {
    return { calls: this.#count, failed: this.#failures };
  }

  /** The last of those that are wanted, oldest first. */
  list({ failed, name, after, limit }: InvocationFilter): Invocation[] {
    return [...this.#failed, ...(failed ? [] : this.#recent)]
      .filter((one) => one.id > after && `${one.name} ${one.path ?? ""}`.includes(name))
      .sort((a, b) => a.id - b.id)
      .slice(-limit);
  }
}
