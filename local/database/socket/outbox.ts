import type { WebSocket } from "ws";
import type { Usage } from "../usage.ts";
import { toFrames } from "./frames.ts";

/** Bytes of pushes that may wait for a client that does not read them. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes that may wait in all, of what it has asked for itself too. */
const MAX_ASKED_BYTES = 512 * 1024 * 1024;
const FAREWELL_MILLIS = 1_000;

/**
 * What is on its way to one client. One that reads too slowly is cut off rather than waited for: it connects anew and says by hashes
 * what it knows.
 */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #usage: Usage;
  readonly #cutOff: () => void;
  #asked = 0;
  #finished = false;

  constructor(socket: WebSocket, usage: Usage, cutOff: () => void) {
    this.#socket = socket;
    this.#usage = usage;
    this.#cutOff = cutOff;
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  push(message: string): void {
    if (this.#finished || this.#socket.readyState !== this.#socket.OPEN) return;
    const waiting = this.#socket.bufferedAmount;
    if (waiting === 0) this.#asked = 0;
    if (waiting > Math.min(MAX_WAITING_BYTES + this.#asked, MAX_ASKED_BYTES)) {
      this.#finished = true;
      // The one who pushes may be in the middle of telling others.
      setImmediate(this.#cutOff);
      return;
    }
    for (const frame of toFrames(message)) {
      this.#usage.sent(Buffer.byteLength(frame));
      this.#socket.send(frame);
    }
  }

  /** What is pushed meanwhile the client has asked for: an answer may be as large as the data is. */
  expecting(push: () => void): void {
    const before = this.#socket.bufferedAmount;
    push();
    this.#asked += Math.max(0, this.#socket.bufferedAmount - before);
  }

  /** Ends the connection when what was pushed before is sent, or soon if the client does not take it. */
  finish(): void {
    this.#finished = true;
    this.#socket.close();
    setTimeout(this.#cutOff, FAREWELL_MILLIS).unref();
  }
}
