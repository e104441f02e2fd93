import { LRUCache } from "lru-cache";
import { now } from "../../platform/clock.ts";
import { hasRedis, runScript, withRedis } from "../../platform/redis.ts";
import { type Period, type Season, seasonAt } from "../periods.ts";
import type { Board } from "../settings.ts";
import { keyList, keysOf } from "./keys.ts";
import { OPEN } from "./scripts.ts";
import { currentSlot, SLOT_MILLIS, tryTask } from "./tasks.ts";

/** For how long Redis keeps a season that is over. */
const KEPT_MILLIS = 2 * 86_400_000;
/** Clocks of instances differ by less: what is opened so long before it begins has nobody in it. */
const AHEAD_MILLIS = 60_000;
const MAX_REMEMBERED = 5_000;

const opened = new LRUCache<string, true>({ max: MAX_REMEMBERED });
const asked = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: SLOT_MILLIS });

/** When Redis drops a season, in milliseconds since the epoch; undefined: never. */
export function expiryOf({ endsAt }: Season): number | undefined {
  return Number.isFinite(endsAt) ? endsAt + KEPT_MILLIS : undefined;
}

/**
 * Opens the seasons that come next as complete, while nobody can be in them yet; so none has to be built when it begins. Once a season in
 * each instance; a failure shows when the season begins, and is a rebuild then.
 */
export async function openNext(id: string, board: Board): Promise<void> {
  if (!hasRedis()) return;
  await Promise.all(board.periods.map((period) => openAfter(id, board, period)));
}

async function openAfter(id: string, board: Board, period: Period): Promise<void> {
  const { key, endsAt } = seasonAt(period, now(), board);
  if (!Number.isFinite(endsAt)) return;
  const name = `${id} ${period} ${key}`;
  if (opened.has(name) || now() > endsAt - AHEAD_MILLIS) return;
  opened.set(name, true);
  const next = seasonAt(period, endsAt, board);
  const { state } = keysOf({ id, board, period, season: next.key });
  const answer = await withRedis((client) => runScript(client, OPEN, [state], [expiryOf(next) ?? 0, now()]));
  if (answer === undefined) opened.delete(name);
}

/** Has the seasons of a board that are on built, unless that was asked for in these ten minutes. */
export async function askForRebuild(id: string, { again = false } = {}): Promise<void> {
  const slot = currentSlot();
  const generation = again ? `again-${slot}` : `${slot}`;
  const name = `rebuild-${id}-${generation}`;
  if (asked.has(name)) return;
  asked.set(name, true);
  if (!(await tryTask(name, { kind: "rebuild", board: id, generation, again }))) asked.delete(name);
}

/** The keys of a season, as scripts take them. */
export function scriptKeys(id: string, board: Board, at: { period: Period; season: string }): [string, string, string] {
  return keyList(keysOf({ id, board, ...at }));
}
