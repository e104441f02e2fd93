import type { WebSocket } from "ws";
import { FrameReader, toFrames } from "./frames.ts";
import { FAREWELL_MILLIS, FrameError, type Receiver, type Transport } from "./transport.ts";

/** A client that has said nothing, not even that it is alive, for so long is gone; clients say it every 45 s. */
const IDLE_MILLIS = 120_000;

/** Messages over a WebSocket, long ones in several frames. */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  readonly #frames = new FrameReader();

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get waitingBytes(): number {
    return this.#socket.bufferedAmount;
  }

  open(receiver: Receiver): void {
    const idle = setTimeout(() => this.destroy(), IDLE_MILLIS);
    this.#socket.on("message", (bytes: Buffer) => {
      idle.refresh();
      this.#onFrame(bytes.toString("utf8"), receiver);
    });
    this.#socket.once("close", () => {
      clearTimeout(idle);
      receiver.onClosed();
    });
    this.#socket.on("error", () => this.destroy());
  }

  send(message: string): number {
    if (!this.isOpen) return 0;
    let bytes = 0;
    for (const frame of toFrames(message)) {
      bytes += Buffer.byteLength(frame);
      this.#socket.send(frame);
    }
    return bytes;
  }

  finish(): void {
    this.#socket.close();
    setTimeout(() => this.destroy(), FAREWELL_MILLIS).unref();
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #onFrame(frame: string, receiver: Receiver): void {
    let message: string | undefined;
    try {
      message = this.#frames.read(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return receiver.onInvalid(error);
    }
    if (message !== undefined) receiver.onMessage(message);
  }
}
