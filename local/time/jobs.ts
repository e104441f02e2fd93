import type { Outcome } from "./calls.ts";
import type { Jump } from "./clock.ts";
import type { Schedule } from "./cron.ts";
import type { ScheduledFunction } from "./functions.ts";

/** The scheduler's jobs: one for each scheduled function, with at most one run at a time. */

/** The last run of a job. Times are milliseconds since the epoch on the suite's clock. */
export interface Run {
  /** The time at which it was due. */
  readonly due: number;
  readonly state: "running" | "retrying" | "succeeded" | "failed" | "disabled";
  readonly attempts: number;
  /** Of the last answer; missing if there was none. */
  readonly status?: number;
  /** Why the last attempt got no answer. */
  readonly reason?: string;
}

/** What is known of a job. */
export interface Job {
  readonly id: string;
  readonly name: string;
  readonly schedule: string;
  readonly timeZone: string;
  /** Why the schedule cannot be followed. */
  readonly error?: string;
  readonly nextRun?: number;
  readonly lastRun?: Run;
  /** Due times passed over because the run before was still going. */
  readonly skipped: number;
}

/** A job as the scheduler keeps it. */
export interface Entry {
  readonly declared: ScheduledFunction;
  readonly schedule: Schedule | undefined;
  readonly error: string | undefined;
  next: number | undefined;
  forgetNext: () => void;
  forgetRetry: () => void;
  last: Run | undefined;
  skipped: number;
  /** The attempt that is on its way, and the jump of the clock on which it began. */
  inFlight: { readonly jump: Jump | undefined; readonly ended: Promise<unknown> } | undefined;
  /** How often it was due on the clock's present jump. */
  onJump: { readonly jump: Jump | undefined; count: number };
}

export function endOf(run: Pick<Run, "due" | "attempts">, outcome: Outcome): Run {
  switch (outcome.kind) {
    case "disabled":
      return { ...run, state: "disabled", status: 204 };
    case "unanswered":
      return { ...run, state: "failed", reason: outcome.reason };
    case "answered": {
      const { status } = outcome;
      return { ...run, state: status >= 200 && status < 300 ? "succeeded" : "failed", status };
    }
  }
}

/** A job that waits for its next attempt counts as running: the due times in between are skipped. */
export function isGoing({ last }: Entry): boolean {
  return last?.state === "running" || last?.state === "retrying";
}

export function forget(entry: Entry): void {
  entry.forgetNext();
  entry.forgetRetry();
}

export function shown({ declared, error, next, last, skipped }: Entry): Job {
  return {
    id: declared.id,
    name: declared.name,
    schedule: declared.schedule,
    timeZone: declared.timeZone,
    ...(error === undefined ? {} : { error }),
    ...(next === undefined ? {} : { nextRun: next }),
    ...(last === undefined ? {} : { lastRun: last }),
    skipped,
  };
}
