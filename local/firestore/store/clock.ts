/** The server's time in whole microseconds since the epoch. Commit times come from `tick`, which never gives the same time twice. */
export class Clock {
  #last = 0;
  #offset = 0;
  #frozenAt: number | undefined;

  now(): number {
    return Math.max(this.#last, this.#wall());
  }

  /** A time later than every time given before. */
  tick(): number {
    this.#last = Math.max(this.#last + 1, this.#wall());
    return this.#last;
  }

  /** Takes note of a time that was given before, in another process. */
  passed(micros: number): void {
    this.#last = Math.max(this.#last, micros);
  }

  /**
   * Sets the clock: ahead of real time by an offset, or to stand still. Times that were given stay in the past all the same: set back, the
   * clock creeps on by a microsecond at a time until it is overtaken.
   */
  set({ offset, frozenAt }: { readonly offset: number; readonly frozenAt?: number | undefined }): void {
    this.#offset = offset;
    this.#frozenAt = frozenAt;
  }

  #wall(): number {
    if (this.#frozenAt !== undefined) return this.#frozenAt;
    return Math.floor((performance.timeOrigin + performance.now()) * 1000) + this.#offset;
  }
}
