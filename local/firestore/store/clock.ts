/** The server's time in whole microseconds since the epoch. Commit times come from `tick`, which never gives the same time twice. */
export class Clock {
  #last = 0;
  #offset = 0;

  now(): number {
    return Math.max(this.#last, this.#wall());
  }

  /** A time later than every time given before. */
  tick(): number {
    this.#last = Math.max(this.#last + 1, this.#wall());
    return this.#last;
  }

  /** Moves the clock forward. Backwards is not possible: update times of a document only grow. */
  advance(micros: number): void {
    this.#offset += Math.max(0, micros);
  }

  #wall(): number {
    return Math.floor((performance.timeOrigin + performance.now()) * 1000) + this.#offset;
  }
}
