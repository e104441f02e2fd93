import type { SuiteClock } from "../time/clock.ts";

/** What is to happen at a time of the clock, by name: setting an alarm anew takes the earlier one's place. */
export class Alarms {
  readonly #clock: SuiteClock;
  /** Waited for after each alarm, so that a jump of the clock finds the world told of what has happened. */
  readonly #after: () => Promise<void>;
  readonly #cancels = new Map<string, () => void>();

  constructor(clock: SuiteClock, after: () => Promise<void>) {
    this.#clock = clock;
    this.#after = after;
  }

  /** `seconds` since the epoch. */
  set(name: string, seconds: number, work: () => void): void {
    this.clear(name);
    const cancel = this.#clock.at(seconds * 1_000, async () => {
      if (this.#cancels.get(name) !== cancel) return;
      this.#cancels.delete(name);
      work();
      await this.#after();
    });
    this.#cancels.set(name, cancel);
  }

  clear(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }

  clearAll(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }
}
