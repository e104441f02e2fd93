import { randomUUID } from "node:crypto";
import type { Database } from "firebase-admin/database";
import { LRUCache } from "lru-cache";
import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { database, keyOf } from "../../platform/database.ts";
import { Failure } from "../../platform/failure.ts";
import { deterministicId } from "../../platform/ids.ts";
import { enqueue } from "../../platform/tasks.ts";
import { boardOf } from "../board.ts";
import { BoardId, Scope as ScopeShape } from "../contract.ts";
import { seasonAt, slotOf } from "../periods.ts";
import { nameOf } from "../place.ts";
import { following } from "../ranked.ts";
import { keptPage } from "../redis/read.ts";
import type { Board } from "../settings.ts";
import type { View } from "../view.ts";
import { LIVE_QUEUE } from "./announce.ts";
import { SHOWN } from "./bars.ts";
import { type Delta, deltaOf, type Shown, shownOf } from "./delta.ts";
import { returned, take } from "./lease.ts";

/** What a task says. */
export const LiveTask = z.object({ board: BoardId, scope: ScopeShape });
type LiveTask = z.output<typeof LiveTask>;

/** What is in the Realtime Database of a board and a scope, by period. */
type ShownPeriods = Readonly<Record<string, Shown>>;

const MAX_REMEMBERED = 200;
const MAX_ENDS_REMEMBERED = 5_000;
/** Cloud Tasks keeps a task for 30 days at most. */
const MAX_AHEAD_MILLIS = 29 * 86_400_000;
const AFTER_END_MILLIS = 1_000;

/** What the last run from here has written; good as long as no other run has written since. */
const remembered = new LRUCache<string, { readonly run: string; readonly shown: ShownPeriods }>({
  max: MAX_REMEMBERED,
});
/** Ends of seasons for which a task waits. */
const ends = new LRUCache<string, true>({ max: MAX_ENDS_REMEMBERED });

/**
 * Brings `live/leaderboards/{board}/{scope}` up to date: of each period the first hundred of the season that is on, as one update of what has
 * changed since. A read for each who is shown whom Redis does not have; of the Realtime Database what is there, unless this instance has written it. Refuses `busy`
 * while another run is at it.
 */
export async function refreshLive({ board: id, scope }: LiveTask): Promise<void> {
  const root = (await database()).ref();
  const name = `${id}/${keyOf(nameOf(scope))}`;
  const [path, lease] = [`live/leaderboards/${name}`, `live/leases/${name}`];
  const lastRun = await take(root.child(lease));
  const [board, before] = await Promise.all([known(id), shownBefore(root.child(path), path, lastRun)]);
  const after = board ? await shownNow({ id, board, scope }) : {};
  const run = randomUUID();
  await root.update({ ...changes(path, before, after), [lease]: returned(run) });
  remembered.set(path, { run, shown: settled(before, after) });
  if (board) await announceEnds({ id, board, scope }, after);
}

/** A board that is there no more is shown no more. */
async function known(id: string): Promise<Board | undefined> {
  try {
    return await boardOf(id);
  } catch (error) {
    if (error instanceof Failure && error.reason === "unknown-board") return undefined;
    throw error;
  }
}

type Reference = ReturnType<Database["ref"]>;

async function shownBefore(reference: Reference, path: string, lastRun: string | undefined): Promise<ShownPeriods> {
  const mine = remembered.get(path);
  if (mine && mine.run === lastRun) return mine.shown;
  const snapshot = await reference.get();
  return (snapshot.val() ?? {}) as ShownPeriods;
}

async function shownNow(of: Pick<View, "id" | "board" | "scope">): Promise<ShownPeriods> {
  const time = now();
  const periods = await Promise.all(
    of.board.periods.map(async (period) => {
      const season = seasonAt(period, time, of.board);
      const view: View = { ...of, period, season, slot: slotOf(period, season) };
      const { rows } =
        (await keptPage(view, undefined, SHOWN)) ?? (await following(view, undefined, { rank: 1, limit: SHOWN }));
      return [period, shownOf(season.key, rows, time)] as const;
    }),
  );
  return Object.fromEntries(periods);
}

function changes(path: string, before: ShownPeriods, after: ShownPeriods): Delta {
  const all: Delta = {};
  for (const period of Object.keys(before)) {
    if (!Object.hasOwn(after, period)) all[`${path}/${period}`] = null;
  }
  for (const [period, shown] of Object.entries(after)) {
    Object.assign(all, deltaOf(`${path}/${period}`, before[period], shown));
  }
  return all;
}

/** What is in the database now: where nothing has changed, nothing was written. */
function settled(before: ShownPeriods, after: ShownPeriods): ShownPeriods {
  return Object.fromEntries(
    Object.entries(after).map(([period, shown]) => {
      const was = before[period];
      return [period, was && Object.keys(deltaOf("", was, shown)).length === 0 ? was : shown];
    }),
  );
}

/** Has the rows of seasons with somebody in them taken away when they end, if nobody scores in the next. */
async function announceEnds(
  { id, board, scope }: Pick<View, "id" | "board" | "scope">,
  shown: ShownPeriods,
): Promise<void> {
  const time = now();
  for (const period of board.periods) {
    const { key, endsAt } = seasonAt(period, time, board);
    const name = deterministicId("live-end", id, nameOf(scope), period, key);
    if (!shown[period]?.players || endsAt - time > MAX_AHEAD_MILLIS || ends.has(name)) continue;
    const delaySeconds = Math.ceil((endsAt + AFTER_END_MILLIS - time) / 1_000);
    await enqueue(LIVE_QUEUE, { name, data: { board: id, scope }, delaySeconds });
    ends.set(name, true);
  }
}

/** Forgets what was written, as a new instance. For tests. */
export function forgetShown(): void {
  remembered.clear();
  ends.clear();
}
