import { LIMITS } from "../model/limits.ts";
import { FrameError } from "./transport.ts";

/** A piece of a message that came in the address of a poll. Numbers go on from message to message. */
export interface Segment {
  readonly number: number;
  /** How many pieces its message has. */
  readonly total: number;
  /** A piece of the message's UTF-8 in base64 for addresses. */
  readonly text: string;
}

/** Pieces that may have come before one that was sent earlier: clients have two polls under way, each of at most 16 kB. */
const MAX_EARLY = 1_000;
const MAX_TEXT_LENGTH = Math.ceil((LIMITS.messageBytes * 4) / 3) + 4;
const PADDING = /\.*$/;

/**
 * Puts the pieces of one client's messages together, in whatever order they come.
 * Source: BrowserPollConnection of the Firebase JavaScript SDK.
 */
export class SegmentReader {
  readonly #early = new Map<number, Segment>();
  #next = 0;
  #pieces: string[] = [];
  #length = 0;

  /** The messages that a piece completes. Throws a {@link FrameError} on wrong numbers and on too much. */
  read(segment: Segment): string[] {
    // A piece that comes twice was sent twice.
    if (segment.number < this.#next) return [];
    if (this.#early.size >= MAX_EARLY) throw new FrameError("Missing segment");
    this.#early.set(segment.number, segment);
    const messages: string[] = [];
    for (let piece = this.#take(); piece; piece = this.#take()) {
      const message = this.#append(piece);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  #take(): Segment | undefined {
    const segment = this.#early.get(this.#next);
    if (segment) this.#early.delete(this.#next++);
    return segment;
  }

  #append({ total, text }: Segment): string | undefined {
    this.#pieces.push(text);
    this.#length += text.length;
    if (this.#length > MAX_TEXT_LENGTH) throw new FrameError("Write too large");
    if (this.#pieces.length < total) return undefined;
    if (this.#pieces.length > total) throw new FrameError("Invalid segment count");
    const whole = this.#pieces.join("").replace(PADDING, "");
    this.#pieces = [];
    this.#length = 0;
    return Buffer.from(whole, "base64url").toString("utf8");
  }
}

const NUMBER = /^\d{1,9}$/;
const MAX_SEGMENTS = 1_000;

/** The pieces in an address: `seg0`, `ts0`, `d0`, `seg1`… Throws a {@link FrameError} on what are no numbers. */
export function segmentsOf(parameters: URLSearchParams): Segment[] {
  const segments: Segment[] = [];
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const text = parameters.get(`d${i}`);
    if (text === null) break;
    segments.push({ number: number(parameters.get(`seg${i}`)), total: number(parameters.get(`ts${i}`)), text });
  }
  return segments;
}

function number(text: string | null): number {
  if (text === null || !NUMBER.test(text)) throw new FrameError("Invalid segment number");
  return Number(text);
}
