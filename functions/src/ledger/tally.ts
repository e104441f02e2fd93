import { createHash, randomBytes } from "node:crypto";

const BUCKETS = 1_024;
const WEIGHT_BITS = 128;

/**
 * Sums by key of which each should be nothing, in the same memory for any number of keys: every key has a random weight, and what is kept are
 * the weighted sums of a thousand buckets of keys. Sums that are all nothing leave the buckets so; others do not, but by a chance of 2^-128.
 * Which keys those are shows a second look, at the keys of the buckets that are not ({@link uneven}) alone.
 */
export class Tally {
  readonly #salt: Buffer;
  readonly #sums = new Map<number, bigint>();

  /** @param salt nobody's to know beforehand; tallies that are put together share it */
  constructor(salt: Buffer = randomBytes(32)) {
    this.#salt = salt;
  }

  add(key: string, amount: number): void {
    if (amount === 0) return;
    const digest = this.#digest(key);
    this.#put(bucketOf(digest), BigInt(`0x${digest.toString("hex", 4, 4 + WEIGHT_BITS / 8)}`) * BigInt(amount));
  }

  /** One for a part, whose sums can be put to this one's, or left. */
  part(): Tally {
    return new Tally(this.#salt);
  }

  /** Adds the sums of a part. */
  put(part: Tally): void {
    for (const [bucket, sum] of part.#sums) this.#put(bucket, sum);
  }

  /** Up to so many buckets of keys of which some have a sum. */
  uneven(limit: number): Suspects {
    const buckets = [...this.#sums].filter(([, sum]) => sum !== 0n).map(([bucket]) => bucket);
    const wanted = new Set(buckets.slice(0, limit));
    return { isEmpty: wanted.size === 0, has: (key) => wanted.size > 0 && wanted.has(bucketOf(this.#digest(key))) };
  }

  #put(bucket: number, change: bigint): void {
    this.#sums.set(bucket, BigInt.asUintN(WEIGHT_BITS, (this.#sums.get(bucket) ?? 0n) + change));
  }

  #digest(key: string): Buffer {
    return createHash("sha256").update(this.#salt).update(key).digest();
  }
}

/** Keys that may be among those whose sum is not nothing. */
export interface Suspects {
  readonly isEmpty: boolean;
  has(key: string): boolean;
}

function bucketOf(digest: Buffer): number {
  return digest.readUInt32BE(0) % BUCKETS;
}

/** The second look: sums by key, of those keys that a tally has found suspect. */
export class Named {
  readonly suspects: Suspects;
  readonly sums = new Map<string, number>();

  constructor(suspects: Suspects) {
    this.suspects = suspects;
  }

  add(key: string, amount: number): void {
    if (!this.suspects.has(key)) return;
    const sum = (this.sums.get(key) ?? 0) + amount;
    if (sum === 0) this.sums.delete(key);
    else this.sums.set(key, sum);
  }
}
