import type { Usage } from "../usage.ts";
import type { Transport } from "./transport.ts";

/** Bytes of pushes that may wait for a client that does not read them. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes that may wait in all, of what it has asked for itself too. */
const MAX_ASKED_BYTES = 512 * 1024 * 1024;

/**
 * What is on its way to one client. One that reads too slowly is cut off rather than waited for: it connects anew and says by hashes
 * what it knows.
 */
export class Outbox {
  readonly #usage: Usage;
  readonly #cutOff: () => void;
  #transport: Transport;
  #asked = 0;
  #finished = false;

  constructor(transport: Transport, usage: Usage, cutOff: () => void) {
    this.#transport = transport;
    this.#usage = usage;
    this.#cutOff = cutOff;
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  /** What is pushed from now on goes another way. */
  redirect(transport: Transport): void {
    this.#transport = transport;
    this.#asked = 0;
  }

  push(message: string): void {
    if (this.#finished || !this.#transport.isOpen) return;
    const waiting = this.#transport.waitingBytes;
    if (waiting === 0) this.#asked = 0;
    if (waiting > Math.min(MAX_WAITING_BYTES + this.#asked, MAX_ASKED_BYTES)) {
      this.#finished = true;
      // The one who pushes may be in the middle of telling others.
      setImmediate(this.#cutOff);
      return;
    }
    this.#usage.sent(this.#transport.send(message));
  }

  /** What is pushed meanwhile the client has asked for: an answer may be as large as the data is. */
  expecting(push: () => void): void {
    const before = this.#transport.waitingBytes;
    push();
    this.#asked += Math.max(0, this.#transport.waitingBytes - before);
  }

  /** Ends the connection when what was pushed before is sent, or soon if the client does not take it. */
  finish(): void {
    this.#finished = true;
    this.#transport.finish();
  }
}
