/** The server's time: real time, or what the suite's clock says. */
export class Clock {
  #offset = 0;
  #frozenAt: number | undefined;

  /** Milliseconds since the epoch. */
  readonly now = (): number => this.#frozenAt ?? Date.now() + this.#offset;

  /** Ahead of real time by an offset, or standing still; in milliseconds. */
  set({ offset, frozenAt }: { readonly offset: number; readonly frozenAt?: number | undefined }): void {
    this.#offset = offset;
    this.#frozenAt = frozenAt;
  }
}
