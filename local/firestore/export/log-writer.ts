import { closeSync, openSync, writeSync } from "node:fs";
import { BLOCK_BYTES, FragmentType, HEADER_BYTES, MAX_RECORD_BYTES, maskedChecksum, UNCHECKED_BYTES } from "./log.ts";

const BUFFERED_BLOCKS = 32;

/** Writes records to a new log, each in as many fragments as it takes. Synchronous; holds a megabyte at a time. */
export class LogWriter {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(BUFFERED_BLOCKS * BLOCK_BYTES);
  #buffered = 0;
  #written = 0;

  constructor(path: string) {
    this.#file = openSync(path, "w");
  }

  /** Bytes of the log so far. */
  get length(): number {
    return this.#written + this.#buffered;
  }

  append(record: Uint8Array): void {
    if (record.length > MAX_RECORD_BYTES) throw new Error(`A record has more than ${MAX_RECORD_BYTES} bytes.`);
    let from = 0;
    let isFirst = true;
    do {
      const room = this.#roomForFragment();
      const end = Math.min(record.length, from + room);
      this.#fragment(typeOf(isFirst, end === record.length), record.subarray(from, end));
      from = end;
      isFirst = false;
    } while (from < record.length);
  }

  close(): void {
    try {
      this.#flush();
    } finally {
      closeSync(this.#file);
    }
  }

  /** Goes on to the next block if this one has no room for a header; how many bytes fit behind one. */
  #roomForFragment(): number {
    const room = BLOCK_BYTES - (this.#buffered % BLOCK_BYTES);
    if (room >= HEADER_BYTES) return room - HEADER_BYTES;
    this.#buffer.fill(0, this.#buffered, this.#buffered + room);
    this.#buffered += room;
    return BLOCK_BYTES - HEADER_BYTES;
  }

  #fragment(type: number, bytes: Uint8Array): void {
    if (this.#buffered === this.#buffer.length) this.#flush();
    const at = this.#buffered;
    const end = at + HEADER_BYTES + bytes.length;
    this.#buffer.writeUInt16LE(bytes.length, at + 4);
    this.#buffer[at + UNCHECKED_BYTES] = type;
    this.#buffer.set(bytes, at + HEADER_BYTES);
    this.#buffer.writeUInt32LE(maskedChecksum(this.#buffer, at + UNCHECKED_BYTES, end), at);
    this.#buffered = end;
  }

  #flush(): void {
    let from = 0;
    while (from < this.#buffered) from += writeSync(this.#file, this.#buffer, from, this.#buffered - from);
    this.#written += this.#buffered;
    this.#buffered = 0;
  }
}

function typeOf(isFirst: boolean, isLast: boolean): number {
  if (isFirst) return isLast ? FragmentType.FULL : FragmentType.FIRST;
  return isLast ? FragmentType.LAST : FragmentType.MIDDLE;
}
