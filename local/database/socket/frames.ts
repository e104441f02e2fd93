import { LIMITS } from "../model/limits.ts";
import { FrameError } from "./transport.ts";

/**
 * Messages in pieces. A long message is sent as a frame that holds the number of pieces, then the pieces.
 * Source: WebSocketConnection of the Firebase JavaScript SDK.
 */

const PIECE = 16_384;
const MAX_COUNT_DIGITS = 6;
const KEEP_ALIVE = "0";

/** The frames that carry a message. */
export function toFrames(message: string): string[] {
  if (message.length <= PIECE) return [message];
  const pieces: string[] = [];
  for (let start = 0; start < message.length; ) {
    const end = pieceEnd(message, start);
    pieces.push(message.slice(start, end));
    start = end;
  }
  return [String(pieces.length), ...pieces];
}

/** A frame must be valid UTF-8: the halves of a surrogate pair stay together. */
function pieceEnd(message: string, start: number): number {
  const end = start + PIECE;
  if (end >= message.length) return message.length;
  const last = message.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** Puts the frames of one client together. */
export class FrameReader {
  #expected = 0;
  #pieces: string[] = [];
  #length = 0;

  /** The message that a frame completes, if it does. Throws a {@link FrameError} on wrong counts and on too much. */
  read(frame: string): string | undefined {
    if (this.#expected === 0) {
      if (frame === KEEP_ALIVE) return undefined;
      if (frame.length > MAX_COUNT_DIGITS || !/^\d+$/.test(frame)) return checkSize(frame);
      this.#expected = Number(frame);
      if (this.#expected === 0 || this.#expected > LIMITS.messageBytes) throw new FrameError("Invalid frame count");
      return undefined;
    }
    this.#pieces.push(frame);
    this.#length += frame.length;
    if (this.#length > LIMITS.messageBytes) throw new FrameError("Write too large");
    if (this.#pieces.length < this.#expected) return undefined;
    const message = this.#pieces.join("");
    this.#expected = 0;
    this.#pieces = [];
    this.#length = 0;
    return checkSize(message);
  }
}

function checkSize(message: string): string {
  if (Buffer.byteLength(message) > LIMITS.messageBytes) throw new FrameError("Write too large");
  return message;
}
