import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { damaged } from "./failure.ts";
import { type Header, type Kind, MAX_HEADER_BYTES, readHeader } from "./header.ts";
import { extentOf, findRecord, OVERHEAD, readRecord } from "./record.ts";

/** Read at a time: what of a file is in memory, if no record is larger. */
const WINDOW_BYTES = 1024 * 1024;

/** A file of records being read from its beginning. Synchronous: it is read before there is anybody to serve. */
export class Reader {
  readonly path: string;
  readonly size: number;
  readonly header: Header;
  readonly #file: number;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #at: number;

  constructor(path: string, expected: { readonly server: string; readonly kind: Kind }) {
    this.path = path;
    this.#file = openSync(path, "r");
    this.size = fstatSync(this.#file).size;
    this.header = readHeader(this.#bytes(0, MAX_HEADER_BYTES), path, expected);
    this.#at = this.header.bytes;
  }

  /** Where the next record should begin: behind the last whole one. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.size;
  }

  /**
   * Gives each record to `take`, for which it is good until that returns. Stops where there is none that is whole, and behind one that is
   * empty. Answers whether it was that.
   */
  takeAll(take: (record: Buffer) => void): boolean {
    for (let record = this.#peek(); record !== undefined; record = this.#peek()) {
      const { length } = record;
      if (length > 0) this.#take(record, take);
      this.#at += OVERHEAD + length;
      if (length === 0) return true;
    }
    return false;
  }

  /** Refuses a file in which a whole record lies behind a place where one is not whole: that is no write that was cut short. */
  refuseGap(): void {
    const rest = this.#bytes(this.#at, this.size - this.#at);
    const behind = findRecord(rest.subarray(1), this.header.salt, this.#at + 1);
    if (behind === undefined) return;
    throw damaged(this.path, this.#at, `the record there is not whole, and others lie behind it (byte ${behind})`);
  }

  close(): void {
    closeSync(this.#file);
  }

  #peek(): Buffer | undefined {
    const extent = extentOf(this.#bytes(this.#at, OVERHEAD));
    if (extent === undefined || this.#at + extent > this.size) return undefined;
    return readRecord(this.#bytes(this.#at, extent), this.header.salt, this.#at);
  }

  #take(record: Buffer, take: (record: Buffer) => void): void {
    try {
      take(record);
    } catch (error) {
      throw damaged(this.path, this.#at, `the record there cannot be understood: ${(error as Error).message}`);
    }
  }

  /** Bytes of the file, fewer where it ends. */
  #bytes(at: number, length: number): Buffer {
    const wanted = Math.min(length, this.size - at);
    if (at < this.#windowAt || at + wanted > this.#windowAt + this.#window.length) this.#read(at, wanted);
    const from = at - this.#windowAt;
    return this.#window.subarray(from, from + wanted);
  }

  #read(at: number, wanted: number): void {
    const length = Math.max(wanted, Math.min(WINDOW_BYTES, this.size - at));
    const buffer = this.#window.length === length ? this.#window : Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const read = readSync(this.#file, buffer, done, Math.min(length - done, 2 ** 30), at + done);
      if (read === 0) throw damaged(this.path, at + done, "it ends before its end");
      done += read;
    }
    this.#window = buffer;
    this.#windowAt = at;
  }
}
