/**
 * Parts an amount by weights, without losing or making a single unit: each part is its exact share rounded down, and what is left goes, a
 * unit each, to those whose share was cut the most (the largest remainder), the earlier first.
 * @param weights whole and not negative, one at least above nothing
 */
export function split(amount: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (whole <= 0n) throw new RangeError("one weight at least has to be above nothing");
  const shares = weights.map((weight, place) => {
    const exact = BigInt(amount) * BigInt(weight);
    return { place, part: exact / whole, remainder: exact % whole };
  });
  const left = BigInt(amount) - shares.reduce((sum, { part }) => sum + part, 0n);
  const first = [...shares].sort((a, b) =>
    a.remainder === b.remainder ? a.place - b.place : a.remainder > b.remainder ? -1 : 1,
  );
  for (const share of first.slice(0, Number(left))) share.part += 1n;
  return shares.map(({ part }) => Number(part));
}
