import { FunctionCaller } from "./calls.ts";
import type { SuiteClock } from "./clock.ts";
import { nextAfter, readSchedule } from "./cron.ts";
import { jobName, listScheduled, type ScheduledFunction } from "./functions.ts";
import { type Entry, endOf, forget, isGoing, type Job, type Run, shown } from "./jobs.ts";
import { retryDelay } from "./retry.ts";
import { Slots } from "./slots.ts";

/** Runs scheduled functions when the suite's clock says that they are due, as Cloud Scheduler does. */

export interface SchedulerOptions {
  readonly clock: SuiteClock;
  /** `host:port` of the functions emulator. */
  readonly functionsHost: string;
  readonly report: (message: string) => void;
  /** How often to ask for changed functions, in real milliseconds. */
  readonly listEveryMillis?: number;
}

export class UnknownJob extends Error {
  constructor(name: string) {
    super(`There is no scheduled function named ${name}.`);
  }
}

export class JobBusy extends Error {
  constructor(name: string) {
    super(`${name} is still running.`);
  }
}

const LIST_EVERY_MILLIS = 3_000;
const MAX_CONCURRENT_RUNS = 8;
/** A day of minutes: what a jump runs a job at most. */
const MAX_RUNS_PER_JUMP = 1_440;

const nothing = () => {};

export class Scheduler {
  readonly #clock: SuiteClock;
  readonly #functionsHost: string;
  readonly #report: (message: string) => void;
  readonly #listEveryMillis: number;
  readonly #caller: FunctionCaller;
  readonly #slots = new Slots(MAX_CONCURRENT_RUNS);
  readonly #entries = new Map<string, Entry>();
  #stopping = new AbortController();
  #forgetClock: () => void = nothing;
  #nextListing: NodeJS.Timeout | undefined;
  #listing: Promise<void> | undefined;
  #isListed = true;

  constructor({ clock, functionsHost, report, listEveryMillis = LIST_EVERY_MILLIS }: SchedulerOptions) {
    this.#clock = clock;
    this.#functionsHost = functionsHost;
    this.#report = report;
    this.#listEveryMillis = listEveryMillis;
    this.#caller = new FunctionCaller(functionsHost);
    this.#stopping.abort();
  }

  /** Follows the functions of the emulator from now on. Ends when they were asked for once, whether it answered or not. */
  start(): Promise<void> {
    if (!this.#stopping.signal.aborted) return this.refresh();
    this.#stopping = new AbortController();
    this.#forgetClock = this.#clock.onChange(() => this.#onChange());
    return this.#listAgain();
  }

  /** Forgets all jobs and breaks off those that are running. */
  stop(): void {
    this.#stopping.abort();
    this.#forgetClock();
    clearTimeout(this.#nextListing);
    for (const entry of this.#entries.values()) forget(entry);
    this.#entries.clear();
  }

  /** Asks the functions emulator for its scheduled functions. What changed starts anew; if it does not answer, all stays as it is. */
  refresh(): Promise<void> {
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined;
    });
    return this.#listing;
  }

  /** By id. */
  jobs(): Job[] {
    return [...this.#entries.values()].map(shown).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Runs a job at once, whatever its schedule, and ends with its first attempt. Throws UnknownJob, or JobBusy if a run is going.
   *
   * @param name of the function, its id (`us-central1-cleanUp`) or its job's name
   */
  async run(name: string): Promise<Run> {
    const entry = this.#find(name);
    if (!entry) throw new UnknownJob(name);
    if (isGoing(entry)) throw new JobBusy(name);
    return await this.#attempt(entry, { due: this.#clock.now(), state: "running", attempts: 0 }, this.#clock.now());
  }

  #find(name: string): Entry | undefined {
    const entries = [...this.#entries.values()];
    return (
      this.#entries.get(name) ??
      entries.find(({ declared }) => declared.name === name) ??
      entries.find(({ declared }) => jobName(declared) === name)
    );
  }

  async #listAgain(): Promise<void> {
    const { signal } = this.#stopping;
    await this.refresh();
    if (signal.aborted) return;
    this.#nextListing = setTimeout(() => void this.#listAgain(), this.#listEveryMillis).unref();
  }

  async #list(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const listed = await listScheduled(this.#functionsHost, this.#report);
      this.#isListed = true;
      if (!signal.aborted) this.#take(listed);
    } catch (error) {
      if (this.#isListed && !signal.aborted) this.#report(`no scheduled functions: ${(error as Error).message}`);
      this.#isListed = false;
    }
  }

  #take(listed: readonly ScheduledFunction[]): void {
    const ids = new Set(listed.map(({ id }) => id));
    for (const [id, entry] of this.#entries) {
      if (ids.has(id)) continue;
      forget(entry);
      this.#entries.delete(id);
    }
    for (const declared of listed) {
      const known = this.#entries.get(declared.id);
      if (known && JSON.stringify(known.declared) === JSON.stringify(declared)) continue;
      if (known) forget(known);
      const entry = this.#entryOf(declared, known);
      this.#entries.set(declared.id, entry);
      this.#plan(entry, this.#clock.now());
    }
  }

  #entryOf(declared: ScheduledFunction, known: Entry | undefined): Entry {
    const blank = {
      next: undefined,
      forgetNext: nothing,
      forgetRetry: nothing,
      last: known && isGoing(known) ? undefined : known?.last,
      skipped: known?.skipped ?? 0,
      inFlight: undefined,
      onJump: { jump: undefined, count: 0 },
    };
    try {
      return { declared, schedule: readSchedule(declared.schedule, declared.timeZone), error: undefined, ...blank };
    } catch (error) {
      this.#report(`${declared.name} never runs: ${(error as Error).message}`);
      return { declared, schedule: undefined, error: (error as Error).message, ...blank };
    }
  }

  /** Sets the timer for the first due time behind `millis`. */
  #plan(entry: Entry, millis: number): void {
    entry.forgetNext();
    const next = entry.schedule && nextAfter(entry.schedule, millis);
    entry.next = next;
    entry.forgetNext = next === undefined ? nothing : this.#clock.at(next, () => this.#onDue(entry, next));
  }

  async #onDue(entry: Entry, due: number): Promise<void> {
    this.#plan(entry, this.#behind(entry, due));
    await this.#awaitEarlier(entry);
    if (isGoing(entry)) {
      entry.skipped++;
      this.#report(`${entry.declared.name} was due at ${iso(due)} but is still running`);
      return;
    }
    await this.#attempt(entry, { due, state: "running", attempts: 0 }, this.#clock.now());
  }

  /** On a jump no time passes for what was on its way when it began. */
  async #awaitEarlier({ inFlight }: Entry): Promise<void> {
    if (this.#clock.jump !== undefined && inFlight?.jump !== this.#clock.jump) await inFlight?.ended;
  }

  /** The time behind which a job is due next: that at which it was, or where a jump ends that it has run often enough on. */
  #behind(entry: Entry, due: number): number {
    const { jump } = this.#clock;
    if (entry.onJump.jump !== jump) entry.onJump = { jump, count: 0 };
    entry.onJump.count++;
    const now = Math.max(due, this.#clock.now());
    if (jump === undefined || entry.onJump.count < MAX_RUNS_PER_JUMP || now >= jump.to) return now;
    this.#report(`${entry.declared.name} ran ${MAX_RUNS_PER_JUMP} times on one jump; it goes on at ${iso(jump.to)}`);
    return jump.to - 1;
  }

  /** When the clock goes back, jobs are due anew, and what was to be tried again later is given up. */
  #onChange(): void {
    if (this.#clock.jump !== undefined) return;
    const now = this.#clock.now();
    for (const entry of this.#entries.values()) {
      const next = entry.schedule && nextAfter(entry.schedule, now);
      if (next === undefined || next >= (entry.next ?? Number.POSITIVE_INFINITY)) continue;
      this.#plan(entry, now);
      entry.forgetRetry();
      if (entry.last?.state === "retrying") entry.last = { ...entry.last, state: "failed" };
    }
  }

  async #attempt(entry: Entry, run: Run, first: number): Promise<Run> {
    const { signal } = this.#stopping;
    const attempts = run.attempts + 1;
    entry.last = { due: run.due, state: "running", attempts };
    const ending = this.#slots.use(() => this.#caller.call(entry.declared, run.due, signal));
    entry.inFlight = { jump: this.#clock.jump, ended: ending };
    const ended = endOf({ due: run.due, attempts }, await ending);
    entry.last = ended;
    entry.inFlight = undefined;
    if (ended.state !== "failed" || this.#entries.get(entry.declared.id) !== entry) return ended;
    const delay = retryDelay(entry.declared.retryConfig, attempts, this.#clock.now() - first);
    if (delay === undefined) {
      this.#report(`${entry.declared.name} failed after ${attempts} attempt(s): ${ended.reason ?? ended.status}`);
      return ended;
    }
    const retrying: Run = { ...ended, state: "retrying" };
    entry.last = retrying;
    entry.forgetRetry = this.#clock.at(this.#clock.now() + delay, () => this.#attempt(entry, retrying, first));
    return retrying;
  }
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
