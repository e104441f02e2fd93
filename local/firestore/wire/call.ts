import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { FrameReader, framed, messageIn } from "./frame.ts";
import { Code, invalidArgument, StatusError } from "./status.ts";

/** Requests of one stream that wait for the one before. */
const MAX_WAITING_REQUESTS = 100;
const MAX_TIMER_MILLIS = 2 ** 31 - 1;
const HEADERS: OutgoingHttpHeaders = {
  [constants.HTTP2_HEADER_STATUS]: constants.HTTP_STATUS_OK,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc+proto",
  "grpc-accept-encoding": "identity,deflate,gzip",
};
/** `100m` and the like. Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const MILLIS_OF: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** One gRPC call: messages in both directions over a stream of HTTP/2, and a status at the end. */
export class GrpcCall {
  readonly headers: IncomingHttpHeaders;
  readonly #stream: ServerHttp2Stream;
  #deadline: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #isStalled = false;
  readonly #over = new Set<() => void>();

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.headers = headers;
    // Whatever breaks a stream also closes it.
    stream.on("error", () => undefined);
    stream.once("close", () => this.#end());
    this.#setDeadline(headers["grpc-timeout"]);
  }

  /** Whether nobody listens to it any more. */
  get isOver(): boolean {
    // The stream may be closed some time before it says so.
    return this.#hasEnded || this.#stream.destroyed || this.#stream.closed;
  }

  /** What the stream shares with others of the same client. */
  get connection(): object {
    return this.#stream.session ?? this;
  }

  /** The one message of a client that sends no more. */
  async request(): Promise<Buffer> {
    let only: Buffer | undefined;
    for await (const message of this.requests()) {
      if (only) throw invalidArgument("The method takes one request.");
      only = message;
    }
    if (!only) throw invalidArgument("The request is missing.");
    return only;
  }

  /** The messages of the client, one by one; it is not read from while many wait. Ends when the client does, or is gone. */
  async *requests(): AsyncGenerator<Buffer> {
    const stream = this.#stream;
    const reader = new FrameReader();
    const encoding = this.headers["grpc-encoding"]?.toString();
    const waiting: Buffer[] = [];
    let broken: { readonly error: unknown } | undefined;
    let isOver = this.isOver;
    let wake = () => {};
    const over = () => {
      isOver = true;
      wake();
    };
    stream.on("data", (chunk: Buffer) => {
      if (this.isOver || broken) return;
      try {
        waiting.push(...reader.take(chunk));
      } catch (error) {
        broken = { error };
      }
      if (waiting.length >= MAX_WAITING_REQUESTS) stream.pause();
      wake();
    });
    stream.once("end", over);
    this.#over.add(over);
    while (true) {
      const frame = waiting.shift();
      if (frame) {
        if (waiting.length === 0) stream.resume();
        yield messageIn(frame, encoding);
      } else if (broken) {
        throw broken.error;
      } else if (isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  /**
   * Sends frames, as many in one piece as the stream takes. Undefined: it takes more at once. Otherwise resolves when it does or nobody
   * listens any more; rejects with UNAVAILABLE if the client reads nothing for longer than our patience, in milliseconds.
   */
  send(frames: Iterable<Buffer>, patience?: number): Promise<void> | undefined {
    const rest = frames[Symbol.iterator]();
    return this.#sendUntilFull(rest) ? undefined : this.#sendRest(rest, patience);
  }

  /** Ends the call well, with a last message if there is one. */
  finish(message?: Uint8Array): void {
    if (this.isOver) return;
    this.#respond();
    this.#sendTrailers(Code.OK, "");
    if (message) this.#stream.end(framed(message));
    else this.#stream.end();
    this.#end();
  }

  fail({ code, message }: StatusError): void {
    if (this.isOver) return;
    if (this.#isStalled) {
      // Not even the end gets past what is not read.
      this.#stream.close(constants.NGHTTP2_CANCEL);
    } else if (this.#stream.headersSent) {
      this.#sendTrailers(code, message);
      this.#stream.end();
    } else {
      this.#stream.respond({ ...HEADERS, ...trailersOf(code, message) }, { endStream: true });
    }
    this.#end();
  }

  async #sendRest(rest: Iterator<Buffer>, patience: number | undefined): Promise<void> {
    do await this.#drained(patience);
    while (!this.#sendUntilFull(rest));
  }

  /** Whether all is sent and the stream takes more. */
  #sendUntilFull(rest: Iterator<Buffer>): boolean {
    if (this.isOver) return true;
    const stream = this.#stream;
    this.#respond();
    stream.cork();
    let takesMore = true;
    for (let next = rest.next(); !next.done; next = rest.next()) {
      takesMore = stream.write(next.value);
      if (!takesMore) break;
    }
    stream.uncork();
    return takesMore;
  }

  #respond(): void {
    if (!this.#stream.headersSent) this.#stream.respond(HEADERS, { waitForTrailers: true });
  }

  #sendTrailers(code: number, message: string): void {
    this.#stream.once("wantTrailers", () => this.#stream.sendTrailers(trailersOf(code, message)));
  }

  /** Waits until the stream takes more, or nobody listens to it any more. */
  #drained(patience: number | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.isOver || !this.#stream.writableNeedDrain) resolve();
    const stall = () => {
      this.#isStalled = true;
      reject(new StatusError("UNAVAILABLE", "The client does not read what it is sent."));
    };
    const stalls = patience === undefined ? undefined : setTimeout(stall, patience).unref();
    this.#stream.once("drain", resolve);
    this.#over.add(resolve);
    return promise.finally(() => {
      clearTimeout(stalls);
      this.#stream.off("drain", resolve);
      this.#over.delete(resolve);
    });
  }

  #setDeadline(timeout: string | string[] | undefined): void {
    const [, count, unit] = TIMEOUT.exec(timeout?.toString() ?? "") ?? [];
    if (count === undefined || unit === undefined) return;
    const millis = Math.min(Number(count) * (MILLIS_OF[unit] ?? 0), MAX_TIMER_MILLIS);
    this.#deadline = setTimeout(
      () => this.fail(new StatusError("DEADLINE_EXCEEDED", "Deadline exceeded")),
      millis,
    ).unref();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#deadline);
    for (const tell of this.#over) tell();
    // What the client still sends is taken and dropped, so that the stream can close.
    this.#stream.resume();
  }
}

function trailersOf(code: number, message: string): OutgoingHttpHeaders {
  return { "grpc-status": code, "grpc-message": encodeURI(message.toWellFormed()) };
}
