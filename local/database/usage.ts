/** What Realtime Database bills traffic and simultaneous connections by. Source: https://firebase.google.com/docs/database/usage/billing */
export interface Reading {
  /** Bytes of messages and answers sent to clients, without what the protocols beneath add. */
  readonly bytesDown: number;
  /** Clients connected over WebSocket or event stream now. */
  readonly connections: number;
  readonly peakConnections: number;
}

interface Mark {
  readonly bytesDown: number;
  peakConnections: number;
}

const MAX_MARKS = 1_000;

/** Measures a database's traffic since the start, and since marks that a test or an operator sets. */
export class Usage {
  #bytesDown = 0;
  #connections = 0;
  #peakConnections = 0;
  readonly #marks = new Map<string, Mark>();
  #nextMark = 1;

  get total(): Reading {
    return {
      bytesDown: this.#bytesDown,
      connections: this.#connections,
      peakConnections: this.#peakConnections,
    };
  }

  sent(bytes: number): void {
    this.#bytesDown += bytes;
  }

  connected(): void {
    this.#connections++;
    this.#peakConnections = Math.max(this.#peakConnections, this.#connections);
    for (const mark of this.#marks.values()) mark.peakConnections = Math.max(mark.peakConnections, this.#connections);
  }

  disconnected(): void {
    this.#connections--;
  }

  /** Starts a measurement of its own; {@link since} reads it. Old marks are dropped when there are too many. */
  mark(): string {
    const id = String(this.#nextMark++);
    this.#marks.set(id, { bytesDown: this.#bytesDown, peakConnections: this.#connections });
    const oldest = this.#marks.keys().next().value;
    if (this.#marks.size > MAX_MARKS && oldest !== undefined) this.#marks.delete(oldest);
    return id;
  }

  /** What was measured since a mark, or undefined if there is no such mark. */
  since(mark: string): Reading | undefined {
    const from = this.#marks.get(mark);
    if (!from) return undefined;
    return {
      bytesDown: this.#bytesDown - from.bytesDown,
      connections: this.#connections,
      peakConnections: from.peakConnections,
    };
  }
}
