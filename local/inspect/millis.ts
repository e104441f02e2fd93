/** Milliseconds since a time of `performance.now()`, to no more places than that clock has. */
export function millisSince(began: number): number {
  return Math.round((performance.now() - began) * 1_000) / 1_000;
}
