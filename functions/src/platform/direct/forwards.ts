/** Protocol buffers, read from the beginning to the end. Source: https://protobuf.dev/programming-guides/encoding/ */
export class ForwardsReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Where all of it ends. */
  get end(): number {
    return this.#bytes.length;
  }

  isBefore(end: number): boolean {
    return this.#at < end;
  }

  /** A whole number that is not negative, at most 2^53 − 1. Also what stands before a field: its number times 8, and how it is written. */
  varint(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** Of what is not a safe integer, the number next to it. */
  int64(): number {
    const from = this.#at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    let exact = 0n;
    for (let i = this.#at - 1; i >= from; i--) exact = (exact << 7n) | BigInt((this.#bytes[i] ?? 0) & 0x7f);
    return Number(BigInt.asIntN(64, exact));
  }

  double(): number {
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  text(): string {
    const end = this.messageEnd();
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }

  /** Reads the length of what comes, and answers where it ends. */
  messageEnd(): number {
    const size = this.varint();
    if (this.#at + size > this.#bytes.length) throw new RangeError("the message is cut off");
    return this.#at + size;
  }

  /** Passes over a field. */
  skip(tag: number): void {
    const way = tag % 8;
    if (way === 0) this.varint();
    else if (way === 2) this.#at = this.messageEnd();
    else if (way === 1) this.#at += 8;
    else if (way === 5) this.#at += 4;
    else throw new RangeError(`nothing is written in the way ${way}`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("the message is cut off");
    return byte;
  }
}
