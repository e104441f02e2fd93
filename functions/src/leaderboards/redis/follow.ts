import { randomUUID } from "node:crypto";
import { now } from "../../platform/clock.ts";
import { firestore } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { hasRedis, runScript, withRedis } from "../../platform/redis.ts";
import { boardOf } from "../board.ts";
import type { Period } from "../periods.ts";
import { type Player, players as playersOf } from "../records.ts";
import type { Board } from "../settings.ts";
import { type Change, type Entry, entriesOf } from "./changes.ts";
import { pendingKey } from "./keys.ts";
import { UPDATE } from "./scripts.ts";
import { askForRebuild, openNext, scriptKeys } from "./seasons.ts";
import { MAX_MENDED, SLOT_MILLIS, tryTask } from "./tasks.ts";

/** Players of one season that Redis takes in at a time: how many values Lua can hand on in one call has a bound. */
const MAX_TAKEN = 500;
/** So many tasks an instance puts up for a board in ten minutes before it has the board built anew instead. */
const MAX_MENDS = 500;

/** Which players of a board are being written, as Redis was told. */
export interface Announced {
  readonly member: string;
  readonly told: Promise<unknown>;
}

/**
 * Tells Redis, without waiting, who is about to be written; {@link follow} takes it back. What stays, because the instance has died in
 * between, is mended by the schedule.
 */
export function announce(id: string, players: readonly string[]): Announced {
  const member = `${randomUUID()} ${JSON.stringify(players)}`;
  return { member, told: withRedis((client) => client.zadd(pendingKey(id), now(), member)) };
}

/** A change, and the board that it is on. */
export interface Changed {
  readonly id: string;
  readonly board: Board;
  readonly change: Change;
}

/** {@link announce}, for players of several boards; by board. */
export function announceAll(players: readonly { id: string; player: string }[]): ReadonlyMap<string, Announced> {
  if (!hasRedis()) return new Map();
  const boards = Map.groupBy(players, ({ id }) => id);
  return new Map(
    [...boards].map(([id, of]) => [
      id,
      announce(
        id,
        of.map(({ player }) => player),
      ),
    ]),
  );
}

/** {@link follow}, for players of several boards. @param isSure whether it is known of all who were announced what was written */
export async function followAll(
  changed: readonly Changed[],
  announced: ReadonlyMap<string, Announced>,
  isSure: boolean,
): Promise<void> {
  if (!hasRedis()) return;
  const boards = Map.groupBy(changed, ({ id }) => id);
  for (const id of announced.keys()) if (!boards.has(id)) boards.set(id, []);
  await Promise.all(
    [...boards].map(async ([id, of]) => {
      const told = announced.get(id);
      const board = of[0]?.board;
      if (board)
        await follow(
          id,
          board,
          of.map(({ change }) => change),
          isSure ? told : undefined,
        );
      else if (told && isSure) await takeBack(id, told);
      await told?.told;
    }),
  );
}

/**
 * Brings Redis up to what was just written to players of a board: in one go, waiting no longer than Redis may take. Where that
 * fails, a task does it later; nothing here ever throws. No reads or writes.
 * @param announced is taken back; absent: nothing was announced, or it is to be looked at again
 */
export async function follow(
  id: string,
  board: Board,
  changes: readonly Change[],
  announced?: Announced,
): Promise<void> {
  if (!hasRedis()) return;
  try {
    const [isTaken] = await Promise.all([take(id, board, changes, announced), openNext(id, board)]);
    if (isTaken) return;
  } catch (error) {
    // What was written is written, whatever is wrong with it.
    log.error("Redis could not be told of scores", error, { board: id });
  }
  await mendLater(
    id,
    changes.map(({ player }) => player),
  );
}

/** As {@link follow}, for those of whom it is not known what was written. A read for each. Throws if Redis cannot be told. */
export async function followAgain(id: string, ids: readonly string[]): Promise<void> {
  if (!hasRedis() || ids.length === 0) return;
  const board = await boardOf(id);
  const found = await firestore().getAll(...ids.map((player) => playersOf(id).doc(player)));
  const changes = found.map((snapshot): Change => {
    const after = snapshot.data() as Player | undefined;
    return { player: snapshot.id, before: "unknown", after, version: snapshot.updateTime ?? snapshot.readTime };
  });
  if (!(await take(id, board, changes))) throw new Error("Redis does not answer");
}

/** Nothing was written of what was announced. */
async function takeBack(id: string, { member }: Announced): Promise<void> {
  await withRedis((client) => client.zrem(pendingKey(id), member));
}

/** Whether Redis has taken in all that a season that it keeps has to know. */
async function take(id: string, board: Board, changes: readonly Change[], announced?: Announced): Promise<boolean> {
  const updates = updatesOf(changes.flatMap((change) => entriesOf(board, change)));
  const done = await withRedis(async (client) => {
    const taken = updates.map(({ period, season, args }) =>
      runScript(client, UPDATE, scriptKeys(id, board, { period, season }), ["", "", now(), ...args]),
    );
    await Promise.all([...taken, announced && client.zrem(pendingKey(id), announced.member)]);
    return true;
  });
  await announced?.told;
  return done === true;
}

interface Update {
  readonly period: Period;
  readonly season: string;
  readonly args: string[];
}

/** By season, and no more of one than Redis takes at a time. */
function updatesOf(entries: readonly Entry[]): Update[] {
  const updates: Update[] = [];
  const filling = new Map<string, Update>();
  for (const { period, season, player, packed } of entries) {
    const key = `${period} ${season}`;
    let update = filling.get(key);
    if (!update || update.args.length >= 2 * MAX_TAKEN) {
      update = { period, season, args: [] };
      updates.push(update);
      filling.set(key, update);
    }
    update.args.push(player, packed);
  }
  return updates;
}

const mends = new Map<string, number>();
let mendsSince = 0;

/** Has players looked at again by a task; very many at once are a rebuild. */
async function mendLater(id: string, players: readonly string[]): Promise<void> {
  if (now() - mendsSince > SLOT_MILLIS) {
    mends.clear();
    mendsSince = now();
  }
  const count = (mends.get(id) ?? 0) + 1;
  mends.set(id, count);
  if (count > MAX_MENDS) return await askForRebuild(id, { again: true });
  for (let from = 0; from < players.length; from += MAX_MENDED) {
    const part = players.slice(from, from + MAX_MENDED);
    const name = `mend-${id}-${deterministicId(...part, String(now()))}`;
    await tryTask(name, { kind: "mend", board: id, players: part });
  }
  log.warn("Redis was not told of scores", { board: id, players: players.length });
}
