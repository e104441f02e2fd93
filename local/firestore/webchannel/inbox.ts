import { LIMITS } from "../model/limits.ts";
import { invalidArgument } from "../wire/status.ts";
import type { Numbered } from "./parameters.ts";

/** What may wait for the one before; a client is answered only when there is room again. */
const MAX_WAITING = 100;
/** What may come before its turn, which happens when a browser has several requests under way. */
const MAX_EARLY = 1_000;
const MAX_EARLY_BYTES = 2 * LIMITS.requestBytes;

/** What a client sends on one channel, in its order and each once, however its requests arrive. */
export class Inbox {
  #next = 0;
  #isClosed = false;
  readonly #waiting: unknown[] = [];
  readonly #early = new Map<number, Numbered>();
  #earlyBytes = 0;
  #wake = (): void => undefined;
  #room = Promise.withResolvers<void>();

  /** Takes messages; those that it has taken already are dropped. Throws INVALID_ARGUMENT for those too far ahead. */
  take(messages: readonly Numbered[]): void {
    if (this.#isClosed) return;
    for (const message of messages) this.#keep(message);
    for (let one = this.#early.get(this.#next); one; one = this.#early.get(this.#next)) {
      this.#early.delete(this.#next);
      this.#earlyBytes -= one.bytes;
      this.#next++;
      this.#waiting.push(one.json);
    }
    this.#wake();
  }

  /** Resolves when there is room for more, or nobody takes any more. */
  async room(): Promise<void> {
    while (!this.#isClosed && this.#waiting.length >= MAX_WAITING) await this.#room.promise;
  }

  /** The messages, one by one, until it is closed. */
  async *messages(): AsyncGenerator<unknown> {
    while (true) {
      if (this.#waiting.length > 0) {
        const message = this.#waiting.shift();
        this.#makeRoom();
        yield message;
      } else if (this.#isClosed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#early.clear();
    this.#makeRoom();
    this.#wake();
  }

  #keep(message: Numbered): void {
    const { number, bytes } = message;
    if (number < this.#next || this.#early.has(number)) return;
    this.#earlyBytes += bytes;
    this.#early.set(number, message);
    if (number >= this.#next + MAX_EARLY || this.#earlyBytes > MAX_EARLY_BYTES) {
      this.#early.delete(number);
      this.#earlyBytes -= bytes;
      throw invalidArgument("A message is too far ahead of those before it.");
    }
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }
}
