import { closeSync, openSync, readSync } from "node:fs";
import { DamagedExport } from "./damage.ts";
import { BLOCK_BYTES, FragmentType, HEADER_BYTES, MAX_RECORD_BYTES, maskedChecksum, UNCHECKED_BYTES } from "./log.ts";

const BLOCKS_AT_ONCE = 32;

export interface LogRecord {
  /** Where in the file it begins. */
  readonly at: number;
  /** Good until the next record is asked for. */
  readonly bytes: Buffer;
}

/**
 * Reads the records of a log one after the other, with a megabyte of the file in memory and the record itself.
 * Throws {@link DamagedExport} where a checksum is wrong, fragments do not fit together, or the file ends too early.
 */
export function* readLog(path: string): Generator<LogRecord> {
  const file = openSync(path, "r");
  try {
    const blocks = Buffer.allocUnsafe(BLOCKS_AT_ONCE * BLOCK_BYTES);
    const records = new Records(path);
    let position = 0;
    let length: number;
    do {
      length = fill(file, blocks);
      for (let at = 0; at < length; at += BLOCK_BYTES) {
        yield* records.of(blocks.subarray(at, Math.min(at + BLOCK_BYTES, length)), position + at);
      }
      position += length;
    } while (length === blocks.length);
    records.end();
  } finally {
    closeSync(file);
  }
}

/** Reads on until the buffer is full or the file ends. */
function fill(file: number, buffer: Buffer): number {
  let length = 0;
  while (length < buffer.length) {
    const read = readSync(file, buffer, length, buffer.length - length, null);
    if (read === 0) break;
    length += read;
  }
  return length;
}

interface Fragment {
  readonly at: number;
  readonly type: number;
  readonly bytes: Buffer;
}

/** Puts the fragments of successive blocks together. */
class Records {
  readonly #path: string;
  /** The fragments of a record that goes on. */
  #parts: Buffer[] = [];
  #start = 0;
  #length = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The records that end in a block. */
  *of(block: Buffer, position: number): Generator<LogRecord> {
    let at = 0;
    while (block.length - at >= HEADER_BYTES && !isZero(block, at, at + HEADER_BYTES)) {
      const fragment = this.#fragment(block, at, position + at);
      const record = this.#add(fragment);
      if (record) yield record;
      at += HEADER_BYTES + fragment.bytes.length;
    }
    if (!isZero(block, at, block.length)) throw this.#damage(position + at, "no record begins here, nor is it empty");
  }

  /** To be called at the end of the file. */
  end(): void {
    if (this.#parts.length > 0) throw this.#damage(this.#start, "the file ends in the middle of this record");
  }

  #fragment(block: Buffer, at: number, position: number): Fragment {
    const end = at + HEADER_BYTES + block.readUInt16LE(at + 4);
    if (end > block.length) {
      const isLast = block.length < BLOCK_BYTES;
      throw this.#damage(position, isLast ? "the file ends in the middle of this record" : "a length is too large");
    }
    if (block.readUInt32LE(at) !== maskedChecksum(block, at + UNCHECKED_BYTES, end)) {
      throw this.#damage(position, "the checksum is not that of the record");
    }
    const type = block[at + UNCHECKED_BYTES] as number;
    return { at: position, type, bytes: block.subarray(at + HEADER_BYTES, end) };
  }

  /** The record that a fragment completes, if it does. */
  #add({ at, type, bytes }: Fragment): LogRecord | undefined {
    const isBeginning = type === FragmentType.FULL || type === FragmentType.FIRST;
    const isEnd = type === FragmentType.FULL || type === FragmentType.LAST;
    if (!isBeginning && !isEnd && type !== FragmentType.MIDDLE) throw this.#damage(at, `a record of type ${type}`);
    if (isBeginning === this.#parts.length > 0)
      throw this.#damage(at, "this part of a record does not follow the last");
    if (isBeginning && isEnd) return { at, bytes };
    if (isBeginning) this.#start = at;
    this.#length += bytes.length;
    if (this.#length > MAX_RECORD_BYTES) {
      throw this.#damage(this.#start, `a record of more than ${MAX_RECORD_BYTES} bytes`);
    }
    // A copy: the block is filled anew before the record ends.
    this.#parts.push(Buffer.from(bytes));
    if (!isEnd) return undefined;
    const record = { at: this.#start, bytes: Buffer.concat(this.#parts) };
    this.#parts = [];
    this.#length = 0;
    return record;
  }

  #damage(at: number, complaint: string): DamagedExport {
    return new DamagedExport(this.#path, at, complaint);
  }
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}
