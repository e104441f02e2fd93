import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { invalidArgument } from "../wire/status.ts";
import { BackChannel } from "./back-channel.ts";
import { Inbox } from "./inbox.ts";

const ID_BYTES = 16;
/** What is kept for a client until it says that it has it; more is made only then. It has to be more than one answer carries. */
const MAX_HELD_LENGTH = 4 * 1024 * 1024;
/** A client gives up an answer on which it has heard nothing for half as long again. */
export const KEEPALIVE_MILLIS = 30_000;
/** How long a client has to hear why its stream has ended. */
const LINGER_MILLIS = 10_000;
/** Between one answer and the next a client is not said to be gone: it would not trust the next one, and start anew after seconds. */
const BETWEEN_MILLIS = 3_000;

interface Held {
  readonly number: number;
  readonly text: string;
}

export interface BackChannelRequest {
  /** The number of the last array that the client has. */
  readonly acknowledged: number;
  readonly isStreaming: boolean;
  readonly waitMillis: number;
}

/**
 * One channel. What the client sends is in its inbox. What it is sent are arrays, numbered, and kept until it says that it has them: when
 * the answer that carried them is cut it asks again from the last one it has.
 */
export class Session {
  readonly id = randomBytes(ID_BYTES).toString("base64url");
  readonly inbox = new Inbox();
  readonly #patienceMillis: number;
  readonly #onClose: () => void;
  #held: Held[] = [];
  #heldLength = 0;
  #lastNumber = 0;
  #sentNumber = 0;
  #channel: BackChannel | undefined;
  #leftAt = 0;
  #isClosed = false;
  #room = Promise.withResolvers<void>();
  #patience: NodeJS.Timeout | undefined;

  /** @param patienceMillis a client that reads nothing for so long is let go */
  constructor({ patienceMillis, onClose }: { patienceMillis: number; onClose: () => void }) {
    this.#patienceMillis = patienceMillis;
    this.#onClose = onClose;
    this.#await();
  }

  /** What a client is told when it has brought messages: whether it is listening, and what it should have heard. */
  get state(): readonly [isListening: 0 | 1, sent: number, outstanding: number] {
    const isListening = this.#channel !== undefined || performance.now() - this.#leftAt < BETWEEN_MILLIS;
    return [isListening ? 1 : 0, this.#sentNumber, this.#heldLength];
  }

  /** The answer over which the client hears from now on, instead of the one before. */
  listen(response: ServerResponse, { acknowledged, isStreaming, waitMillis }: BackChannelRequest): void {
    this.acknowledge(acknowledged);
    this.#channel?.end();
    const channel = new BackChannel(response, {
      isStreaming,
      quietMillis: waitMillis,
      onQuiet: () => this.#send(['["noop"]']),
      onDrain: () => this.#flush(),
      onClose: () => this.#leave(channel),
    });
    this.#channel = channel;
    this.#sentNumber = acknowledged;
    // Whether its answers get through at once, or a proxy holds them back, the client sees by the first word.
    if (isStreaming && this.#held.length === 0) this.#send(['["noop"]']);
    else this.#flush();
  }

  /** Drops what the client has. Throws INVALID_ARGUMENT if it cannot have it. */
  acknowledge(number: number): void {
    if (number > this.#lastNumber) throw invalidArgument("AID: there is no such array yet.");
    const dropped = this.#held.splice(0, this.#heldUpTo(number));
    for (const { text } of dropped) this.#heldLength -= text.length;
    if (this.#heldLength < MAX_HELD_LENGTH) this.#makeRoom();
  }

  /** Sends payloads, each the text of an array. Undefined: there is room for more; else resolves when there is, or nobody listens any more. */
  send(payloads: Iterable<string>): Promise<void> | undefined {
    const rest = payloads[Symbol.iterator]();
    return this.#sendUntilFull(rest) ? undefined : this.#sendRest(rest);
  }

  /** Sends the last it has to say, and gives the client time to hear it. */
  finish(payload: string): void {
    if (this.#isClosed) return;
    this.#send([payload]);
    this.inbox.close();
    setTimeout(() => this.close(), LINGER_MILLIS).unref();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#patience);
    this.#channel?.end();
    this.#held = [];
    this.inbox.close();
    this.#makeRoom();
    this.#onClose();
  }

  async #sendRest(rest: Iterator<string>): Promise<void> {
    do await this.#room.promise;
    while (!this.#sendUntilFull(rest));
  }

  /** Whether all is sent and there is room for more. */
  #sendUntilFull(rest: Iterator<string>): boolean {
    if (this.#isClosed) return true;
    const payloads: string[] = [];
    let length = this.#heldLength;
    for (let next = rest.next(); !next.done; next = rest.next()) {
      payloads.push(next.value);
      length += next.value.length;
      if (length >= MAX_HELD_LENGTH) break;
    }
    this.#send(payloads);
    return length < MAX_HELD_LENGTH;
  }

  #send(payloads: readonly string[]): void {
    for (const payload of payloads) {
      const number = ++this.#lastNumber;
      const text = `[${number},${payload}]`;
      this.#held.push({ number, text });
      this.#heldLength += text.length;
    }
    this.#flush();
  }

  #flush(): void {
    const channel = this.#channel;
    if (!channel || channel.isOver) return;
    if (channel.isFull) return this.#await();
    this.#patience = clear(this.#patience);
    const due = this.#held.slice(this.#heldUpTo(this.#sentNumber));
    if (due.length === 0) return;
    this.#sentNumber = this.#lastNumber;
    channel.send(due.map(({ text }) => text));
    if (channel.isOver || channel.isFull) this.#await();
  }

  /** Over this answer the client hears no more. It has so long to ask again. */
  #leave(channel: BackChannel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#leftAt = performance.now();
    this.#await();
  }

  /** Lets the client go unless it reads on in time. */
  #await(): void {
    if (!this.#isClosed) this.#patience ??= setTimeout(() => this.close(), this.#patienceMillis).unref();
  }

  /** How many of the arrays that are held, the first of them, are those up to a number. */
  #heldUpTo(number: number): number {
    return Math.max(0, number - (this.#held[0]?.number ?? number + 1) + 1);
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }
}

function clear(timer: NodeJS.Timeout | undefined): undefined {
  clearTimeout(timer);
}
