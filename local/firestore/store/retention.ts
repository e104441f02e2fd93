import type { StoredDocument, Version } from "./document.ts";

/** How long, and how much of, the superseded states of documents are kept for reads in the past. */
export interface RetentionLimits {
  /** An hour, as without point-in-time recovery: https://firebase.google.com/docs/firestore/pitr */
  readonly micros: number;
  readonly versions: number;
  readonly bytes: number;
}

const DEFAULT_LIMITS: RetentionLimits = { micros: 3_600e6, versions: 100_000, bytes: 64 * 1024 * 1024 };

interface Superseded {
  readonly document: StoredDocument;
  /** The state that took its place; undefined for a deletion, of which nothing but the mark itself is left to drop. */
  readonly by: Version | undefined;
  readonly since: number;
  readonly bytes: number;
}

/** The superseded states of a database in the order in which they were superseded, oldest first, within the limits. */
export class Retention {
  readonly #limits: RetentionLimits;
  #queue: Superseded[] = [];
  #head = 0;
  #bytes = 0;
  #floor = 0;

  constructor(limits: Partial<RetentionLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** The earliest time that can still be read. */
  floor(now: number): number {
    return Math.max(this.#floor, now - this.#limits.micros);
  }

  /** Notes that of the time before this nothing is kept. */
  startAt(micros: number): void {
    this.#floor = Math.max(this.#floor, micros);
  }

  /** Notes that `by` takes the place of a document's current state; without `by`, that the document was deleted. */
  keep(document: StoredDocument, by: Version | undefined): void {
    const bytes = by ? document.current.bytes : 0;
    this.#queue.push({ document, by, since: (by ?? document.current).updateTime, bytes });
    this.#bytes += bytes;
  }

  /** Drops what is over the limits; `forget` is told of documents of which nothing is left. */
  trim(now: number, forget: (document: StoredDocument) => void): void {
    while (this.#head < this.#queue.length && this.#overLimit(now)) {
      const { document, by, since, bytes } = this.#queue[this.#head++] as Superseded;
      this.#bytes -= bytes;
      this.#floor = Math.max(this.#floor, since);
      if (by) by.previous = undefined;
      else if (document.current.fields === null && document.current.updateTime === since) forget(document);
    }
    if (this.#head > 10_000 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  #overLimit(now: number): boolean {
    const oldest = this.#queue[this.#head] as Superseded;
    return (
      oldest.since <= now - this.#limits.micros ||
      this.#queue.length - this.#head > this.#limits.versions ||
      this.#bytes > this.#limits.bytes
    );
  }
}
