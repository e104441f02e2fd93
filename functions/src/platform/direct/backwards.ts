/**
 * Protocol buffers, written from the end to the beginning: what a length stands before is there already when the length is written, so
 * nothing is measured twice. Source: https://protobuf.dev/programming-guides/encoding/
 */
export class BackwardsWriter {
  #buffer: Buffer;
  /** Where the next byte ends. */
  #at: number;

  /** @param room bytes to begin with; more are taken as they are needed */
  constructor(room = 16_384) {
    this.#buffer = Buffer.allocUnsafe(room);
    this.#at = room;
  }

  /** How many bytes are written so far. */
  get size(): number {
    return this.#buffer.length - this.#at;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  byte(value: number): void {
    if (this.#at === 0) this.#grow(1);
    this.#buffer[--this.#at] = value;
  }

  /** A whole number that is not negative, at most 2^53 − 1. */
  varint(value: number): void {
    if (value < 0x80) {
      this.byte(value);
      return;
    }
    let size = 0;
    for (let left = value; left >= 1; left = Math.floor(left / 0x80)) size++;
    this.#room(size);
    let left = value;
    for (let i = 0; i < size; i++) {
      const more = i + 1 < size ? 0x80 : 0;
      this.#buffer[this.#at + i] = (left % 0x80) | more;
      left = Math.floor(left / 0x80);
    }
  }

  /** Any safe integer, as an int64. */
  int64(value: number): void {
    if (value >= 0) {
      this.varint(value);
      return;
    }
    const size = 10;
    this.#room(size);
    let left = BigInt.asUintN(64, BigInt(value));
    for (let i = 0; i < size; i++) {
      this.#buffer[this.#at + i] = Number(left & 0x7fn) | (i + 1 < size ? 0x80 : 0);
      left >>= 7n;
    }
  }

  double(value: number): void {
    this.#room(8);
    this.#buffer.writeDoubleLE(value, this.#at);
  }

  /** The text and, before it, its length. */
  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.#room(size);
    this.#buffer.write(value, this.#at, size, size === value.length ? "latin1" : "utf8");
    this.varint(size);
  }

  /** The length of all that was written since there were `before` bytes. */
  lengthSince(before: number): void {
    this.varint(this.size - before);
  }

  #room(size: number): void {
    if (this.#at < size) this.#grow(size);
    this.#at -= size;
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.size + size));
    const at = larger.length - this.size;
    this.#buffer.copy(larger, at, this.#at);
    this.#buffer = larger;
    this.#at = at;
  }
}
