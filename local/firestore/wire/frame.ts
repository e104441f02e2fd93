import { gunzipSync, inflateSync } from "node:zlib";
import { LIMITS } from "../model/limits.ts";
import { invalidArgument, StatusError } from "./status.ts";

/** Whether it is compressed (1 byte), and its length (4). Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const PREFIX_BYTES = 5;
/** A little over what a request may hold, so that the refusal is ours and says why. */
const MAX_MESSAGE_BYTES = 4 * LIMITS.requestBytes;

/** A message as it goes over a stream. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Finds the frames in the bytes of one stream, however they are cut. */
export class FrameReader {
  #parts: Buffer[] = [];
  #bytes = 0;
  #needed = PREFIX_BYTES;

  /** The frames that are complete with these bytes. Throws RESOURCE_EXHAUSTED if one is longer than the server takes. */
  take(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return [];
    // Also copies what is in one part: the memory of a message is not to keep that of all that came with it.
    const bytes = Buffer.concat(this.#parts, this.#bytes);
    const frames: Buffer[] = [];
    let at = 0;
    let needed = neededAt(bytes, at);
    while (bytes.length - at >= needed) {
      frames.push(bytes.subarray(at, at + needed));
      at += needed;
      needed = neededAt(bytes, at);
    }
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#bytes = bytes.length - at;
    this.#needed = needed;
    return frames;
  }
}

/**
 * The message in a frame. Throws RESOURCE_EXHAUSTED if it is longer than the server takes, UNIMPLEMENTED for other compressions than gzip and
 * deflate.
 *
 * @param encoding of messages that say they are compressed
 */
export function messageIn(frame: Buffer, encoding: string | undefined): Buffer {
  const message = frame.subarray(PREFIX_BYTES);
  return frame[0] === 0 ? message : expand(message, encoding);
}

/** How many bytes the frame that begins here takes, as far as can be told. */
function neededAt(bytes: Buffer, at: number): number {
  if (bytes.length - at < PREFIX_BYTES) return PREFIX_BYTES;
  const length = bytes.readUInt32BE(at + 1);
  if (length > MAX_MESSAGE_BYTES) throw tooLong();
  return PREFIX_BYTES + length;
}

function expand(message: Buffer, encoding: string | undefined): Buffer {
  const options = { maxOutputLength: MAX_MESSAGE_BYTES };
  try {
    if (encoding === "gzip") return gunzipSync(message, options);
    if (encoding === "deflate") return inflateSync(message, options);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE"
      ? tooLong()
      : invalidArgument("A message cannot be decompressed.");
  }
  throw new StatusError("UNIMPLEMENTED", `Messages compressed with ${encoding ?? "nothing"} are not understood.`);
}

function tooLong(): StatusError {
  return new StatusError("RESOURCE_EXHAUSTED", `A message is longer than ${MAX_MESSAGE_BYTES} bytes.`);
}
