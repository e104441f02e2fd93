import * as z from "zod";
import { LIMITS } from "../model/limits.ts";
import type { Usage } from "../usage.ts";
import { Outbox } from "./outbox.ts";
import { FrameError, type Transport } from "./transport.ts";

const Message = z.discriminatedUnion("t", [
  z.object({ t: z.literal("c"), d: z.looseObject({ t: z.string() }) }),
  z.object({ t: z.literal("d"), d: z.object({ r: z.number(), a: z.string(), b: z.looseObject({}).default({}) }) }),
]);

/** A request as it came: its number, its action and what that needs. */
export type Request = Extract<z.infer<typeof Message>, { t: "d" }>["d"];

interface Ends {
  readonly usage: Usage;
  readonly onRequest: (request: Request) => void;
  readonly onClosed: () => void;
  readonly report: (message: string) => void;
}

/** A way that a client is about to move to, and what it has said there already. */
interface Next {
  readonly transport: Transport;
  readonly early: Request[];
  earlyBytes: number;
}

/**
 * The line to one client: what is pushed to it, its requests in their order, and the messages that are about the line itself. A client
 * that began with long polls may move to a WebSocket: it says on the old way that it has ended there, and is told so there.
 * Source of the protocol: Connection of the Firebase JavaScript SDK.
 */
export class Line {
  readonly #ends: Ends;
  readonly #outbox: Outbox;
  #transport: Transport;
  #next: Next | undefined;

  constructor(transport: Transport, ends: Ends) {
    this.#ends = ends;
    this.#transport = transport;
    this.#outbox = new Outbox(transport, ends.usage, () => this.close());
    this.#open(transport);
  }

  push(message: string): void {
    this.#outbox.push(message);
  }

  /** Pushes a message about the line: `h` to greet, `o` to answer a ping, `n` for the end on this way, `e` for errors. */
  control(type: "h" | "o" | "n" | "e", body: unknown): void {
    this.push(control(type, body));
  }

  expecting(push: () => void): void {
    this.#outbox.expecting(push);
  }

  finish(): void {
    this.#outbox.finish();
  }

  close(): void {
    this.#next?.transport.destroy();
    this.#transport.destroy();
  }

  /** Takes another way in for the same client, which moves there when it likes. */
  join(transport: Transport): void {
    this.#next?.transport.destroy();
    this.#next = { transport, early: [], earlyBytes: 0 };
    this.#open(transport);
    this.#ends.usage.sent(transport.send(control("a", {})));
  }

  #open(transport: Transport): void {
    transport.open({
      onMessage: (message) => this.#receive(transport, message),
      onInvalid: (error) => this.#fail(error),
      onClosed: () => this.#onClosed(transport),
    });
  }

  #receive(transport: Transport, message: string): void {
    if (this.#outbox.isFinished) return;
    try {
      this.#onMessage(transport, message);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A mistake, ours too, must cost this client its connection only. */
  #fail(error: unknown): void {
    const isTheirs = error instanceof FrameError;
    if (!isTheirs) this.#ends.report(error instanceof Error ? String(error.stack) : String(error));
    this.control("e", isTheirs ? error.message : "Internal server error");
    this.finish();
  }

  #onMessage(from: Transport, text: string): void {
    const message = Message.safeParse(parse(text));
    if (!message.success) throw new FrameError("Invalid message");
    const next = this.#next?.transport === from ? this.#next : undefined;
    if (message.data.t === "c") this.#onControl(message.data.d.t, next);
    else if (next) keepEarly(next, message.data.d, text.length);
    else if (from === this.#transport) this.#ends.onRequest(message.data.d);
  }

  #onControl(type: string, next: Next | undefined): void {
    if (type === "p" && next) this.#ends.usage.sent(next.transport.send(control("o", {})));
    else if (type === "p") this.control("o", {});
    else if (type === "n" && !next) this.#move();
  }

  #move(): void {
    const [old, next] = [this.#transport, this.#next];
    if (!next) return;
    this.control("n", {});
    this.#transport = next.transport;
    this.#next = undefined;
    this.#outbox.redirect(next.transport);
    old.finish();
    for (const request of next.early) this.#ends.onRequest(request);
  }

  #onClosed(transport: Transport): void {
    if (this.#next?.transport === transport) this.#next = undefined;
    if (transport !== this.#transport) return;
    this.#next?.transport.destroy();
    this.#ends.onClosed();
  }
}

function keepEarly(next: Next, request: Request, bytes: number): void {
  next.earlyBytes += bytes;
  if (next.earlyBytes > LIMITS.messageBytes) throw new FrameError("Write too large");
  next.early.push(request);
}

function control(type: string, body: unknown): string {
  return JSON.stringify({ t: "c", d: { t: type, d: body } });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FrameError("Invalid JSON");
  }
}
