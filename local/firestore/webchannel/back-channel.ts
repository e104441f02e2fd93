import type { ServerResponse } from "node:http";

/** After so many characters an answer ends, and the client asks for the next: it keeps all of an answer until then. */
const MAX_ANSWER_LENGTH = 1024 * 1024;
const HEADERS = {
  "content-type": "text/plain; charset=utf-8",
  "cache-control": "no-cache, no-store, max-age=0, must-revalidate",
  "x-content-type-options": "nosniff",
  "x-accel-buffering": "no",
};

export interface BackChannelOptions {
  /** Whether the client sees an answer grow; otherwise it gets one piece. */
  readonly isStreaming: boolean;
  /** After so long without a word the client is to hear something. */
  readonly quietMillis: number;
  readonly onQuiet: () => void;
  /** Told when it takes more again. */
  readonly onDrain: () => void;
  /** Told when nothing reaches the client over it any more. */
  readonly onClose: () => void;
}

/** The answer to a client that waits for what the server has to say. */
export class BackChannel {
  readonly #response: ServerResponse;
  readonly #isStreaming: boolean;
  readonly #quiet: NodeJS.Timeout;
  #length = 0;
  #isOver = false;

  constructor(response: ServerResponse, { isStreaming, quietMillis, onQuiet, onDrain, onClose }: BackChannelOptions) {
    this.#response = response;
    this.#isStreaming = isStreaming;
    this.#quiet = setTimeout(onQuiet, quietMillis).unref();
    response.on("drain", onDrain);
    response.once("close", () => {
      this.#over();
      onClose();
    });
    response.writeHead(200, HEADERS);
    response.flushHeaders();
  }

  /** Whether it takes no more at the moment. */
  get isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends arrays, each the text of `[number, payload]`. It may be over after that. */
  send(arrays: readonly string[]): void {
    const piece = chunk(`[${arrays.join(",")}]`);
    this.#length += piece.length;
    this.#response.write(piece);
    if (this.#isStreaming && this.#length < MAX_ANSWER_LENGTH) this.#quiet.refresh();
    else this.end();
  }

  end(): void {
    this.#over();
    this.#response.end();
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#quiet);
  }
}

/** Text with its length before it, in the units in which JavaScript counts. */
export function chunk(text: string): string {
  return `${text.length}\n${text}`;
}
