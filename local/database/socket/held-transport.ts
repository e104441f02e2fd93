import type { Keeper } from "../durability/kept.ts";
import type { Receiver, Transport } from "./transport.ts";

/** Sends what it is given when all that it may tell of is on disk. A client that was about to be told what is lost is cut off. */
export class HeldTransport implements Transport {
  readonly #transport: Transport;
  readonly #keeper: Keeper;
  #held: string[] = [];
  #heldBytes = 0;
  #isFinishing = false;

  constructor(transport: Transport, keeper: Keeper) {
    this.#transport = transport;
    this.#keeper = keeper;
  }

  get isOpen(): boolean {
    return this.#transport.isOpen;
  }

  get waitingBytes(): number {
    return this.#transport.waitingBytes + this.#heldBytes;
  }

  open(receiver: Receiver): void {
    this.#transport.open(receiver);
  }

  send(message: string): number {
    const bytes = Buffer.byteLength(message);
    this.#held.push(message);
    this.#heldBytes += bytes;
    this.#keeper.whenSettled(
      () => this.#release(),
      () => this.destroy(),
    );
    return bytes;
  }

  finish(): void {
    if (this.#held.length === 0) this.#transport.finish();
    else this.#isFinishing = true;
  }

  destroy(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#transport.destroy();
  }

  #release(): void {
    const message = this.#held.shift();
    if (message === undefined) return;
    this.#heldBytes -= Buffer.byteLength(message);
    this.#transport.send(message);
    if (this.#isFinishing && this.#held.length === 0) this.#transport.finish();
  }
}
