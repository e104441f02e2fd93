/** Streams that are written to in one turn. */
const TURN = 100;

/**
 * Who is written to when. What is due for many streams at once is worked off connection by connection, in turns with the event loop between
 * them: what one connection is sent leaves in one piece, and its client is at work on it while the next one is written to.
 */
export class Turns {
  /** By connection. A stream waits here at most once, by its own care. */
  readonly #due = new Map<object, (() => void)[]>();
  #isScheduled = false;

  /** Calls back in a turn to come. */
  soon(connection: object, act: () => void): void {
    const due = this.#due.get(connection);
    if (due) due.push(act);
    else this.#due.set(connection, [act]);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    let left = TURN;
    for (const [connection, due] of this.#due) {
      this.#due.delete(connection);
      const now = due.splice(0, left);
      if (due.length > 0) this.#due.set(connection, due);
      left -= now.length;
      for (const act of now) act();
      if (left <= 0) break;
    }
    if (this.#due.size > 0) this.#schedule();
  }
}
