/**
 * What a bill comes to in money. Prices of us-central1, in US dollars, without the free quota and without storage and network.
 * Source: https://cloud.google.com/firestore/pricing and https://firebase.google.com/pricing
 */
export const PRICES = {
  place: "us-central1",
  currency: "USD",
  /** For 100,000 operations of Firestore. */
  reads: 0.03,
  writes: 0.09,
  deletes: 0.01,
  /** For a GB that Realtime Database sends. */
  gigabytesDown: 1,
} as const;

const OPERATIONS = 100_000;
const BYTES = 1_000_000_000;
const DIGITS = 6;

export interface Billed {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
  readonly bytesDown: number;
}

/** Dollars. */
export function costOf({ reads, writes, deletes, bytesDown }: Billed): number {
  const operations = reads * PRICES.reads + writes * PRICES.writes + deletes * PRICES.deletes;
  const dollars = operations / OPERATIONS + (bytesDown / BYTES) * PRICES.gigabytesDown;
  return Number(dollars.toPrecision(DIGITS));
}
