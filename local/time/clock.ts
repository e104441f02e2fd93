import { setTimeout as sleep } from "node:timers/promises";

/**
 * The suite's time: real time plus an offset, or standing still. Timers go by it, so that a day of schedules can be gone through in
 * the time their work takes. Times are milliseconds since the epoch, durations milliseconds.
 */

/** What the suite's time is, as listeners and followers are told. */
export interface ClockState {
  readonly now: number;
  /** Ahead of real time by this much. */
  readonly offset: number;
  /** The time at which the clock stands, if it does: frozen, or on its way through a jump. */
  readonly frozenAt?: number;
}

/** A way from one time to a later one, on which every timer in between fires at its own time. */
export interface Jump {
  readonly from: number;
  readonly to: number;
}

export interface ClockOptions {
  /** Takes a line about what went wrong in a timer or a listener. */
  readonly report?: (message: string) => void;
  /** How long, in real milliseconds, a jump waits for the timers of one time to finish before it goes on. */
  readonly patienceMillis?: number;
}

type TimerCallback = (due: number) => unknown;
type ChangeListener = (state: ClockState) => unknown;

interface Timer {
  readonly due: number;
  readonly callback: TimerCallback;
}

/** The end of the year 9999, the last that RFC 3339 can write. */
export const MAX_TIME = 253_402_300_799_999;
const MAX_TIMERS = 100_000;
const MAX_LISTENERS = 1_000;
const MAX_WAITING_CHANGES = 1_000;
const MAX_STEPS_PER_JUMP = 100_000;
const PATIENCE_MILLIS = 60_000;
/** Timers are looked at anew this often: real time may have moved on unnoticed while the machine slept, and long timers overflow. */
const LOOK_AGAIN_MILLIS = 60_000;

export class SuiteClock {
  readonly #report: (message: string) => void;
  readonly #patienceMillis: number;
  /** By due time; those of one time in the order in which they were asked for. */
  readonly #timers: Timer[] = [];
  readonly #listeners = new Set<ChangeListener>();
  #offset = 0;
  #standing: number | undefined;
  #frozen = false;
  #jump: Jump | undefined;
  #alarm: NodeJS.Timeout | undefined;
  /** Ends when the changes asked for so far are through. */
  #changes: Promise<void> = Promise.resolve();
  #waitingChanges = 0;

  constructor({ report = () => {}, patienceMillis = PATIENCE_MILLIS }: ClockOptions = {}) {
    this.#report = report;
    this.#patienceMillis = patienceMillis;
  }

  now(): number {
    return this.#standing ?? Date.now() + this.#offset;
  }

  get state(): ClockState {
    const now = this.now();
    if (this.#standing === undefined) return { now, offset: this.#offset };
    return { now, offset: now - Date.now(), frozenAt: now };
  }

  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** The jump that the clock is on. */
  get jump(): Jump | undefined {
    return this.#jump;
  }

  /**
   * Calls back when the suite's time reaches `millis`, whether by passing or by being moved; at once if it has already. A jump waits
   * for what the callback returns, time passing by itself does not. Throws RangeError if 100,000 timers wait.
   *
   * @returns takes the timer away
   */
  at(millis: number, callback: TimerCallback): () => void {
    if (Number.isNaN(millis)) throw new RangeError("A timer needs a time.");
    if (this.#timers.length >= MAX_TIMERS) throw new RangeError(`More than ${MAX_TIMERS} timers are waiting.`);
    const timer: Timer = { due: millis, callback };
    this.#timers.splice(this.#placeBehind(millis), 0, timer);
    this.#arm();
    return () => this.#remove(timer);
  }

  /**
   * Calls back at every change of the clock, and at every time a jump stops at, before the timers of that time. What the callback
   * returns is waited for.
   *
   * @returns takes the listener away
   */
  onChange(listener: ChangeListener): () => void {
    if (this.#listeners.size >= MAX_LISTENERS) throw new RangeError(`More than ${MAX_LISTENERS} listeners.`);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Sets the time. Forwards, the timers on the way fire in order, each at its own time; backwards, none does. Ends when the timers'
   * work is done. Throws RangeError for a time outside the years 1970 to 9999.
   */
  set(millis: number): Promise<void> {
    return this.#inTurn(() => this.#moveTo(() => checked(millis)));
  }

  /** Moves the time forward as `set` does. Throws RangeError for a negative duration. */
  advance(millis: number): Promise<void> {
    return this.#inTurn(() => {
      if (!(millis >= 0)) throw new RangeError("The clock can only be advanced forward; set a time to go back.");
      return this.#moveTo(() => checked(this.now() + millis));
    });
  }

  /** Moves the time to `offset` milliseconds ahead of real time (behind it, if negative) as `set` does. */
  setOffset(offset: number): Promise<void> {
    return this.#inTurn(() => this.#moveTo(() => checked(Date.now() + offset), offset));
  }

  /** Stops the time where it is. */
  freeze(): Promise<void> {
    return this.#inTurn(() => {
      if (this.#frozen) return Promise.resolve();
      return this.#settle(() => {
        this.#standing = this.now();
        this.#frozen = true;
      });
    });
  }

  /** Lets the time go on from where it stands. */
  resume(): Promise<void> {
    return this.#inTurn(() => {
      if (!this.#frozen) return Promise.resolve();
      return this.#settle(() => {
        this.#frozen = false;
        this.#stand(this.now());
      });
    });
  }

  /** One change after the other, in the order in which they were asked for. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    if (this.#waitingChanges >= MAX_WAITING_CHANGES) {
      return Promise.reject(new RangeError(`More than ${MAX_WAITING_CHANGES} changes of the clock are waiting.`));
    }
    this.#waitingChanges++;
    const done = this.#changes.then(change).finally(() => this.#waitingChanges--);
    this.#changes = done.catch(() => {});
    return done;
  }

  async #moveTo(target: () => number, offset?: number): Promise<void> {
    const from = this.now();
    const to = target();
    if (to > from) await this.#stepThrough({ from, to });
    await this.#settle(() => {
      this.#jump = undefined;
      this.#stand(to);
      if (offset !== undefined && !this.#frozen) this.#offset = offset;
    });
  }

  /** Stops at each time at which timers are due, and stays until their work is done. */
  async #stepThrough(jump: Jump): Promise<void> {
    this.#jump = jump;
    this.#standing = jump.from;
    for (let step = 0; step < MAX_STEPS_PER_JUMP; step++) {
      const next = this.#timers[0];
      if (next === undefined || next.due > jump.to) return;
      this.#standing = Math.max(this.#standing ?? jump.from, next.due);
      await this.#tell();
      await this.#patiently(this.#takeDue(next.due).map((timer) => this.#fire(timer)));
    }
    this.#report(`the clock stopped at ${MAX_STEPS_PER_JUMP} times on its way; what else was due fires at the end`);
  }

  async #settle(change: () => void): Promise<void> {
    change();
    await this.#tell();
    this.#arm();
  }

  /** Puts the clock at a time, from which it goes on unless it is frozen. */
  #stand(millis: number): void {
    this.#offset = millis - Date.now();
    this.#standing = this.#frozen ? millis : undefined;
  }

  async #tell(): Promise<void> {
    if (this.#listeners.size === 0) return;
    const { state } = this;
    await this.#patiently([...this.#listeners].map((listener) => this.#guard("a listener", () => listener(state))));
  }

  async #patiently(work: readonly Promise<void>[]): Promise<void> {
    const given = new AbortController();
    const patience = sleep(this.#patienceMillis, "late", { ref: false, signal: given.signal }).catch(() => "given up");
    const outcome = await Promise.race([Promise.all(work), patience]);
    given.abort();
    if (outcome === "late") {
      this.#report(
        `the clock went on at ${new Date(this.now()).toISOString()} after ${this.#patienceMillis} ms of waiting`,
      );
    }
  }

  #fire({ due, callback }: Timer): Promise<void> {
    return this.#guard(`the timer of ${due}`, () => callback(due));
  }

  async #guard(name: string, work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Sets the alarm for the timer that is due first. A jump needs none, and on a frozen clock only what is overdue fires. */
  #arm(): void {
    clearTimeout(this.#alarm);
    const first = this.#timers[0];
    if (first === undefined || this.#jump !== undefined) return;
    const wait = Math.max(0, first.due - this.now());
    if (this.#frozen && wait > 0) return;
    this.#alarm = setTimeout(() => this.#pass(), Math.min(wait, LOOK_AGAIN_MILLIS)).unref();
  }

  #pass(): void {
    if (this.#jump !== undefined) return;
    for (const timer of this.#takeDue(this.now())) void this.#fire(timer);
    this.#arm();
  }

  #takeDue(now: number): Timer[] {
    return this.#timers.splice(0, this.#placeBehind(now));
  }

  #remove(timer: Timer): void {
    const place = this.#timers.lastIndexOf(timer, this.#placeBehind(timer.due) - 1);
    if (place >= 0) this.#timers.splice(place, 1);
  }

  /** Where a timer of this time belongs: behind all that are due then or earlier. */
  #placeBehind(due: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#timers[middle]?.due ?? Number.POSITIVE_INFINITY) <= due) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function checked(millis: number): number {
  if (millis >= 0 && millis <= MAX_TIME) return Math.round(millis);
  throw new RangeError("The suite's time must lie between the years 1970 and 9999.");
}
