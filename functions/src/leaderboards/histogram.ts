import { cached, forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import { timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { boardOf } from "./board.ts";
import { type Bucketed, behind, MAX_BUCKETS, merged, near, split, UNKNOWN } from "./buckets.ts";
import { seasonNamed, slotOf } from "./periods.ts";
import { prefixOf } from "./place.ts";
import { countIn, edgeOf } from "./ranked.ts";
import { Buckets, type Histogram, histograms } from "./records.ts";
import { suffixOf } from "./redis/keys.ts";
import { type Count, currentSlot, putTask, SLOT_MILLIS, tryTask } from "./redis/tasks.ts";
import type { View } from "./view.ts";

/** For so long an instance does not look again. */
const FRESH = { processSeconds: 60 };
/** Counting queries of one task, and of them at a time. */
const COUNTS_A_TASK = 400;
const PARALLEL = 8;
const MAX_STEPS = 200;

/**
 * How the players of a view spread, as of some minutes ago; undefined if that has not been counted yet. What is older than ten minutes, or not
 * there, is asked for. A read, and none for a minute afterwards.
 */
export async function histogramOf(view: View): Promise<Buckets | undefined> {
  const key = keyOf(view);
  const found = await cached(cacheKey(view), FRESH, Buckets, async () => {
    return (await histograms(view.id).doc(key).get()).data()?.done;
  });
  if (!found || found.since.toMillis() < now() - SLOT_MILLIS) await askForCount(view);
  return found;
}

async function askForCount({ id, period, season, scope }: View): Promise<void> {
  const slot = currentSlot();
  const name = `count-${id}-${deterministicId(period, season.key, suffixOf(scope))}-${slot}`;
  await tryTask(name, { kind: "count", board: id, period, season: season.key, scope, slot });
}

/**
 * Counts how the players of a season spread: a bucket that has more than `most` is split in the middle of its places until none has. It goes
 * on from the buckets of the time before, by tasks that follow on each other. Bill: a read for each 1,000 players and for each bucket, and,
 * when it is made for the first time, some three times as much for finding the buckets.
 * @param counts counting queries of one task; only tests say so
 */
export async function count(task: Count, most: number, counts: number = COUNTS_A_TASK): Promise<void> {
  const view = await viewFor(task);
  if (!view || task.step > MAX_STEPS) return;
  const document = histograms(view.id).doc(keyOf(view));
  const histogram = (await document.get()).data();
  if (histogram?.making && histogram.making.slot > task.slot) return;
  const begun = histogram?.making?.slot === task.slot ? histogram.making : await begin(view, histogram, task.slot);
  if (!begun) return;
  const making = { ...begun, ...(await countSome(view, begun, { most, counts })) };
  if (making.counts.includes(UNKNOWN)) {
    await document.set({ ...histogram, making });
    const step = task.step + 1;
    const name = `count-${view.id}-${deterministicId(keyOf(view))}-${task.slot}-${step}`;
    return await putTask(name, { ...task, step });
  }
  const done = { since: making.since, ...bare(merged(making, most / 2)) };
  await document.set({ done });
  await forget(cacheKey(view));
  log.info("a leaderboard was counted", { board: view.id, period: view.period, buckets: done.places.length });
}

/** From the buckets of the time before, or from one that has them all; undefined if there is nobody. */
async function begin(view: View, before: Histogram | undefined, slot: number): Promise<Histogram["making"]> {
  const since = timestamp();
  const [first, last] = await Promise.all([edgeOf(view, "first"), edgeOf(view, "last")]);
  if (first === undefined || last === undefined) return undefined;
  const begins = near(placeOf(view, first));
  const places = [begins, ...(before?.done?.places ?? []).filter((place) => place > begins)];
  const [end, least] = [behind(placeOf(view, last)), behind(places.at(-1) ?? begins)];
  const counts = places.map(() => UNKNOWN);
  return { since, slot, places, counts, end: end > least ? end : least };
}

async function countSome(view: View, begun: Bucketed, { most, counts: limit }: { most: number; counts: number }) {
  let state: Bucketed = begun;
  for (let left = limit; left > 0; ) {
    const unknown = state.counts
      .flatMap((known, i) => (known === UNKNOWN ? [i] : []))
      .slice(0, Math.min(left, PARALLEL));
    if (unknown.length === 0) break;
    left -= unknown.length;
    const found = await Promise.all(unknown.map(async (i) => ({ i, ...(await countOne(view, state, i, most)) })));
    state = entered(state, found);
  }
  return state;
}

/** How many are in a bucket, or where it has to be split. */
async function countOne(view: View, state: Bucketed, i: number, most: number): Promise<{ count: number; at?: string }> {
  const prefix = prefixOf({ season: view.season.key, scope: view.scope });
  const [from, to] = [i === 0 ? undefined : state.places[i], state.places[i + 1]];
  const range = {
    ...(from === undefined ? {} : { from: prefix + from }),
    ...(to === undefined ? {} : { to: prefix + to }),
  };
  const at = state.places.length < MAX_BUCKETS ? split(state, i) : undefined;
  const found = await countIn(view, range, at === undefined ? undefined : most + 1);
  return found > most && at !== undefined ? { count: UNKNOWN, at } : { count: found };
}

function entered(state: Bucketed, found: readonly { i: number; count: number; at?: string }[]): Bucketed {
  const by = new Map(found.map((one) => [one.i, one]));
  const [places, counts]: [string[], number[]] = [[], []];
  for (const [i, place] of state.places.entries()) {
    const one = by.get(i);
    places.push(place);
    counts.push(one ? one.count : (state.counts[i] ?? UNKNOWN));
    if (one?.at === undefined) continue;
    places.push(one.at);
    counts.push(UNKNOWN);
  }
  return { places, counts, end: state.end };
}

function bare({ places, counts }: Bucketed): Pick<Buckets, "places" | "counts"> {
  return { places, counts };
}

/** What an order says besides season and scope. */
export function placeOf({ season, scope }: Pick<View, "season" | "scope">, order: string): string {
  return order.slice(prefixOf({ season: season.key, scope }).length);
}

async function viewFor({ board: id, period, season: key, scope }: Count): Promise<View | undefined> {
  const board = await boardOf(id);
  const season = seasonNamed(period, key, { ...board, near: now() });
  return season && { id, board, period, season, slot: slotOf(period, season), scope };
}

function keyOf({ period, season, scope }: Pick<View, "period" | "season" | "scope">): string {
  return `${period}-${season.key}${suffixOf(scope)}`;
}

function cacheKey(view: View): string {
  return `histogram:${view.id}:${keyOf(view)}`;
}
