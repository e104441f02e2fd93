import type { Reader } from "protobufjs";

/** Protocol buffers by hand, since what exports hold is of the second version, with groups. */

export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, GROUP: 3, GROUP_END: 4 } as const;

/** What stands in front of a field. */
export function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** Takes the value behind a tag, or says that it does not want it. */
type Take = (tag: number) => boolean;

/** Calls `take` for each field of the message that goes on for so many bytes, and skips those it does not take. */
export function readMessage(reader: Reader, length: number, take: Take): void {
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError("a length is too large");
  while (reader.pos < end) {
    const found = reader.uint32();
    if (!take(found)) reader.skipType(found & 7);
  }
  if (reader.pos !== end) throw new RangeError("a field is longer than what it lies in");
}

/** Calls `take` for each field up to the tag that ends a group. */
export function readGroup(reader: Reader, end: number, take: Take): void {
  for (let found = reader.uint32(); found !== end; found = reader.uint32()) {
    if (!take(found)) reader.skipType(found & 7);
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const REPLACEMENT = "\ufffd";

/** Reads a string; throws if its bytes are no text. */
export function readText(reader: Reader): string {
  const length = reader.uint32();
  const start = reader.pos;
  reader.skip(length);
  return toText(reader.buf, start, reader.pos);
}

/** @param bytes of a record: the reader of a Buffer gives Buffers, though its type does not say so */
export function toText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const text = (bytes as Buffer).toString("utf8", start, end);
  // The strict decoder is several times slower, and needed only if something may have been replaced.
  return text.includes(REPLACEMENT) ? strict.decode(bytes.subarray(start, end)) : text;
}
