import { log } from "./log.ts";

/** Where an answer of a cache came from: this process, Redis, either of them past its time while another asker renews it, or the source. */
export type Origin = "process" | "redis" | "stale" | "source";

/** A line of the log by cache, at most this often. */
const PACE_MILLIS = 60_000;
/** Caches that are counted, by name; names come from code. */
const MAX_CACHES = 100;

interface Tally {
  readonly counts: Record<Origin, number>;
  readonly since: number;
}

const tallies = new Map<string, Tally>();

/**
 * Counts an answer of a cache, and logs every minute in which there were any how many there were of each origin, for a metric by logs:
 * `message: "cache"`, `cache`, the origins, and `hitRate`, the share of answers that did not come from the source.
 * @param key the cache's name is what stands before the first colon
 */
export function count(key: string, origin: Origin): void {
  const end = key.indexOf(":");
  const cache = end < 0 ? key : key.slice(0, end);
  const at = performance.now();
  let tally = tallies.get(cache);
  if (!tally) {
    if (tallies.size >= MAX_CACHES) return;
    tally = { counts: { process: 0, redis: 0, stale: 0, source: 0 }, since: at };
    tallies.set(cache, tally);
  }
  tally.counts[origin]++;
  if (at - tally.since < PACE_MILLIS) return;
  tallies.delete(cache);
  log.info("cache", { cache, ...tally.counts, hitRate: hitRateOf(tally.counts) });
}

/** How often each origin has answered since the last line of the log. For tests. */
export function counted(cache: string): Readonly<Record<Origin, number>> | undefined {
  const counts = tallies.get(cache)?.counts;
  return counts && { ...counts };
}

function hitRateOf({ process, redis, stale, source }: Tally["counts"]): number {
  const all = process + redis + stale + source;
  return Math.round(((all - source) / all) * 10_000) / 10_000;
}
