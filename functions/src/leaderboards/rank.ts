import { bucketOf } from "./buckets.ts";
import { histogramOf, placeOf } from "./histogram.ts";
import { prefixOf } from "./place.ts";
import { countIn } from "./ranked.ts";
import type { View } from "./view.ts";

/** Ranks out of Firestore, for when Redis has none. */

/** Ranks that are counted, and therefore exact: ten reads. */
const EXACT = 10_000;
let exact = EXACT;

export interface Estimate {
  readonly value: number;
  readonly approximate?: true;
}

/** Up to which rank is counted. */
export function exactBound(): number {
  return exact;
}

/** Has only so many ranks be counted, until the returned function is called. For tests. */
export function setExactBound(bound: number): () => void {
  exact = bound;
  return () => {
    exact = EXACT;
  };
}

/**
 * The rank of a place in the order: up to 10,000 exact, above that by the histogram and a count within one of its buckets. Then it is off
 * by no more than what was submitted and withdrawn since the histogram was begun; where there is none yet, it is the least that it can be.
 * At most 10 reads for one that is exact, and 21 for another, however many players there are.
 */
export async function rankOf(view: View, order: string): Promise<Estimate> {
  const better = await countIn(view, { to: order }, exact);
  return better < exact ? { value: better + 1 } : await estimated(view, order);
}

async function estimated(view: View, order: string): Promise<Estimate> {
  const buckets = await histogramOf(view);
  if (!buckets) return { value: exact + 1, approximate: true };
  const { from, before } = bucketOf(buckets, placeOf(view, order));
  const prefix = prefixOf({ season: view.season.key, scope: view.scope });
  const inside = await countIn(view, { ...(from === undefined ? {} : { from: prefix + from }), to: order }, exact);
  return { value: Math.max(exact, before + inside) + 1, approximate: true };
}

/** How many are ranked: up to 10,000 exact, above that as of when the histogram was begun. At most 11 reads. */
export async function sizeOf(view: View): Promise<Estimate> {
  const counted = await countIn(view, {}, exact);
  if (counted < exact) return { value: counted };
  const buckets = await histogramOf(view);
  const all = buckets?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  return { value: Math.max(exact, all), approximate: true };
}

/**
 * The ranks of several places, best first. Ten reads for those that are exact, and for each other at most ten.
 */
export async function ranksOf(view: View, orders: readonly string[]): Promise<Estimate[]> {
  const ranks: Estimate[] = [];
  let [counted, from]: [number, string | undefined] = [0, undefined];
  for (const order of orders) {
    if (counted < exact) {
      counted += await countIn(view, { ...(from === undefined ? {} : { from }), to: order }, exact - counted);
      from = order;
    }
    if (counted >= exact) {
      ranks.push(await estimated(view, order));
      continue;
    }
    counted++;
    ranks.push({ value: counted });
  }
  return ranks;
}
