import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Segment, SegmentReader, segmentsOf } from "./segments.ts";
import { FAREWELL_MILLIS, FrameError, type Receiver, type Transport } from "./transport.ts";

/** A client that has not polled for so long is gone; clients poll anew every 25 s at the latest. */
const GAP_MILLIS = 60_000;

/** A poll that waits for something to answer, and what it must be told before. */
interface Held {
  readonly response: ServerResponse;
  readonly opening: string;
}

/**
 * Messages over HTTP for browsers that cannot have a WebSocket: a script is asked for again and again and answered when there is something
 * to say; what the client says is in the addresses. One poll is held at a time, an older one is let go.
 * Source: BrowserPollConnection of the Firebase JavaScript SDK.
 */
export class LongPoll implements Transport {
  readonly id = randomUUID();
  readonly password = randomUUID();
  readonly #segments = new SegmentReader();
  readonly #gap: NodeJS.Timeout;
  #receiver: Receiver | undefined;
  #held: Held | undefined;
  #queue: string[] = [];
  #queuedBytes = 0;
  /** Bytes of answers that the client has not taken yet. */
  #flyingBytes = 0;
  #nextAnswer = 0;
  #lastSerial = 0;
  #answerPlanned = false;
  #state: "open" | "finishing" | "closed" = "open";

  readonly #onEnded: () => void;

  /** @param callback the suffix of the names by which the page wants to be called back */
  constructor(response: ServerResponse, callback: string, onEnded: () => void) {
    this.#onEnded = onEnded;
    this.#gap = setTimeout(() => this.destroy(), GAP_MILLIS);
    this.#hold({ response, opening: `${definitions(callback)}pLPCommand('start','${this.id}','${this.password}');\n` });
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get waitingBytes(): number {
    return this.#queuedBytes + this.#flyingBytes;
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  send(message: string): number {
    if (!this.isOpen) return 0;
    const bytes = Buffer.byteLength(message);
    this.#queue.push(message);
    this.#queuedBytes += bytes;
    this.#planAnswer();
    return bytes;
  }

  /** Takes what a poll says and holds it until there is something to answer. */
  poll(parameters: URLSearchParams, response: ServerResponse): void {
    this.#gap.refresh();
    const serial = Number(parameters.get("ser"));
    // Polls that overtook each other are both let go: some browsers run the scripts in the order in which they asked for them.
    const isOvertaken = serial < this.#lastSerial;
    this.#lastSerial = Math.max(this.#lastSerial, serial || 0);
    this.#answer();
    this.#hold({ response, opening: "" });
    if (isOvertaken) this.#answer();
    else if (this.#queue.length > 0 || !this.isOpen) this.#planAnswer();
    this.#receive(parameters);
  }

  finish(): void {
    if (this.#state !== "open") return;
    this.#state = "finishing";
    this.#planAnswer();
    setTimeout(() => this.destroy(), FAREWELL_MILLIS).unref();
  }

  destroy(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#gap);
    this.#answer();
    this.#onEnded();
    this.#receiver?.onClosed();
  }

  #receive(parameters: URLSearchParams): void {
    try {
      for (const segment of segmentsOf(parameters)) this.#read(segment);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#receiver?.onInvalid(error);
    }
  }

  #read(segment: Segment): void {
    for (const message of this.#segments.read(segment)) this.#receiver?.onMessage(message);
  }

  #hold(held: Held): void {
    this.#held = held;
    held.response.once("close", () => {
      if (this.#held === held) this.#held = undefined;
    });
  }

  /** What is sent in one go is answered in one go. */
  #planAnswer(): void {
    if (this.#answerPlanned) return;
    this.#answerPlanned = true;
    setImmediate(() => {
      this.#answerPlanned = false;
      this.#answer();
      if (this.#state === "finishing" && this.#queue.length === 0) this.destroy();
    });
  }

  /** Answers the poll that is held, with all that waits. */
  #answer(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    const messages = this.#queue.length > 0 ? `pRTLPCB(${this.#nextAnswer++},[${this.#queue.join(",")}]);\n` : "";
    const farewell = this.isOpen ? "" : `pLPCommand('close',${Math.max(0, this.#nextAnswer - 1)});\n`;
    this.#queue = [];
    this.#queuedBytes = 0;
    const bytes = sendScript(held.response, `${held.opening}${messages}${farewell}`);
    this.#flyingBytes += bytes;
    held.response.once("close", () => {
      this.#flyingBytes -= bytes;
    });
  }
}

/** The functions that scripts call, within the frame that loads them, on those of the page around it. */
function definitions(callback: string): string {
  return ["pLPCommand", "pRTLPCB"]
    .map((name) => `function ${name}(...told) { parent.window["${name}${callback}"]?.(...told); }\n`)
    .join("");
}

/** Answers with a script. Returns its bytes. */
export function sendScript(response: ServerResponse, script: string): number {
  // JSON may contain what older JavaScript takes for ends of lines.
  const text = script.replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  const bytes = Buffer.from(text);
  response.writeHead(200, {
    "content-type": "text/javascript; charset=utf-8",
    "content-length": bytes.length,
    "cache-control": "no-store",
  });
  response.end(bytes);
  return bytes.length;
}
