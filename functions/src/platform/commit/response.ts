import { Timestamp } from "firebase-admin/firestore";

/**
 * When each of the documents of a commit was last written, in the order of the writes, out of a CommitResponse. One that was as it was
 * written has no time of its own.
 */
export function decodeCommit(bytes: Buffer): (Timestamp | undefined)[] {
  const times: (Timestamp | undefined)[] = [];
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && typeof value === "object") times.push(timeIn(value));
  }
  return times;
}

function timeIn(writeResult: Buffer): Timestamp | undefined {
  for (const { field, value } of fieldsOf(writeResult)) {
    if (field !== 1 || typeof value !== "object") continue;
    let [seconds, nanos] = [0, 0];
    for (const part of fieldsOf(value)) {
      if (part.field === 1 && typeof part.value === "number") seconds = part.value;
      if (part.field === 2 && typeof part.value === "number") nanos = part.value;
    }
    return new Timestamp(seconds, nanos);
  }
  return undefined;
}

/** The fields of a message, as far as they are varints or have a length; others are passed over. */
function* fieldsOf(bytes: Buffer): Generator<{ field: number; value: number | Buffer }> {
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { field, value: varint() };
        break;
      case 2: {
        const size = varint();
        yield { field, value: bytes.subarray(at, at + size) };
        at += size;
        break;
      }
      default:
        at += tag % 8 === 1 ? 8 : 4;
    }
  }
}
