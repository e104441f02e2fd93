/** What Firestore bills an action for, in operations. Source: https://firebase.google.com/docs/firestore/pricing */
export interface Bill {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
}

const MAX_MARKS = 1_000;

/** Counts billed operations since the start, and since marks that a test or an operator sets. */
export class Usage {
  #total: Bill = { reads: 0, writes: 0, deletes: 0 };
  readonly #marks = new Map<string, Bill>();
  #nextMark = 1;

  get total(): Bill {
    return this.#total;
  }

  add({ reads, writes, deletes }: Bill): void {
    const { reads: r, writes: w, deletes: d } = this.#total;
    this.#total = { reads: r + reads, writes: w + writes, deletes: d + deletes };
  }

  /** Starts a count of its own; {@link since} reads it. Old marks are dropped when there are too many. */
  mark(): string {
    const id = String(this.#nextMark++);
    this.#marks.set(id, this.#total);
    const oldest = this.#marks.keys().next().value;
    if (this.#marks.size > MAX_MARKS && oldest !== undefined) this.#marks.delete(oldest);
    return id;
  }

  /** What was billed since a mark, or undefined if there is no such mark. */
  since(mark: string): Bill | undefined {
    const from = this.#marks.get(mark);
    if (!from) return undefined;
    const { reads, writes, deletes } = this.#total;
    return { reads: reads - from.reads, writes: writes - from.writes, deletes: deletes - from.deletes };
  }
}
