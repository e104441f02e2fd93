import { createHmac } from "node:crypto";

/** Whole numbers from 0 to below `below`, one after the other. */
export type Lots = (below: number) => number;

/**
 * Lots that follow from a seed alone: the n-th is HMAC-SHA-256(seed, n), its first 64 bits modulo `below`. As `below` is far from 2^64, no
 * number is likelier than another by more than one part in 10^10.
 */
export function lotsOf(seed: string): Lots {
  let n = 0;
  return (below) => {
    const bits = createHmac("sha256", seed).update(String(n++)).digest().readBigUInt64BE();
    return Number(bits % BigInt(below));
  };
}

/** The one that a lot below the sum of the weights falls on. */
export function fallsOn<Weighted extends { readonly weight: number }>(all: readonly Weighted[], lot: number): Weighted {
  let left = lot;
  for (const one of all) {
    if (left < one.weight) return one;
    left -= one.weight;
  }
  throw new RangeError(`a lot of ${lot} is not below the sum of the weights`);
}

export function weightOf(all: readonly { readonly weight: number }[]): number {
  return all.reduce((sum, { weight }) => sum + weight, 0);
}
