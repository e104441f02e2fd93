import { Failure } from "../../../functions/src/platform/failure.ts";

/** What somebody asks for under a key, again and again until there is an answer, as apps do. */
export interface Ask<Result> {
  readonly what: string;
  readonly carryOut: () => Promise<Result>;
  readonly onDone: (result: Result) => void;
  isDone: boolean;
}

/** Refusals that say "not now". */
const FOR_NOW: ReadonlySet<string> = new Set(["stripe-unavailable", "revenuecat-unavailable", "busy", "rate-limited"]);

/** All that is asked in a storm. */
export class Asks {
  readonly #open: Ask<unknown>[] = [];
  /** How often each outcome was: `done`, or the reason of a refusal. */
  readonly outcomes = new Map<string, number>();

  get open(): number {
    return this.#open.length;
  }

  /** Asks; what is not answered stays open, and `onDone` is told once of what was done. */
  async ask<Result>(
    what: string,
    carryOut: () => Promise<Result>,
    onDone: (result: Result) => void = () => undefined,
  ): Promise<void> {
    const asked = { what, carryOut, onDone: onDone as (result: unknown) => void, isDone: false };
    if (!(await this.#try(asked))) this.#open.push(asked);
  }

  /** Asks for all that is open once more. */
  async again(): Promise<void> {
    for (const asked of this.#open.splice(0)) if (!(await this.#try(asked))) this.#open.push(asked);
  }

  /** Whether there is an answer that stays. */
  async #try(asked: Ask<unknown>): Promise<boolean> {
    try {
      const result = await asked.carryOut();
      this.#count(`${asked.what}: done`);
      if (!asked.isDone) asked.onDone(result);
      asked.isDone = true;
      return true;
    } catch (error) {
      const reason = error instanceof Failure ? error.reason : String(error);
      this.#count(`${asked.what}: ${reason}`);
      return error instanceof Failure && !FOR_NOW.has(reason);
    }
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }
}
