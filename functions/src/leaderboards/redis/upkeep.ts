import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { FieldPath } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { hasRedis, withRedis } from "../../platform/redis.ts";
import { count } from "../histogram.ts";
import { exactBound } from "../rank.ts";
import { boards } from "../records.ts";
import type { Board } from "../settings.ts";
import { compareBoard, type Drift } from "./drift.ts";
import { followAgain } from "./follow.ts";
import { pendingKey } from "./keys.ts";
import { rebuild } from "./rebuild.ts";
import { openNext } from "./seasons.ts";
import { BoardTask, currentSlot } from "./tasks.ts";

const MAX_BOARDS = 1_000;
/** Whoever has announced players and not taken that back for so long has died over it. */
const FORSAKEN_MILLIS = 60_000;
const MAX_FORSAKEN = 100;
/** Every board is compared once in so many runs: an hour. */
const RUNS_A_COMPARISON = 6;

/** Carries out a task of the queue. */
export async function runBoardTask(data: unknown): Promise<void> {
  const task = BoardTask.parse(data);
  switch (task.kind) {
    case "rebuild":
      return await rebuild(task);
    case "mend":
      return await followAgain(task.board, task.players);
    case "count":
      return await count(task, exactBound());
  }
}

/**
 * Every ten minutes: opens the seasons that come next, has those looked at again who were left in the middle of being written, and compares
 * some boards with Firestore, each once an hour. Bill: a read for each board, and what {@link compareBoard} says of those whose turn it is.
 */
export async function keepUp(): Promise<void> {
  if (!hasRedis()) return;
  const { docs } = await boards().orderBy(FieldPath.documentId()).limit(MAX_BOARDS).get();
  if (docs.length === MAX_BOARDS) log.warn("there are more leaderboards than are looked after", { boards: MAX_BOARDS });
  const total = { boards: 0, compared: 0, repaired: 0, rebuilt: 0, mended: 0 };
  for (const [i, document] of docs.entries()) {
    const board = document.data();
    await openNext(document.id, board);
    total.mended += await mendForsaken(document.id);
    if (i % RUNS_A_COMPARISON !== currentSlot() % RUNS_A_COMPARISON) continue;
    add(total, await compare(document.id, board));
  }
  log.info("leaderboards in Redis", total);
}

async function compare(id: string, board: Board): Promise<Drift | undefined> {
  try {
    return await compareBoard(id, board);
  } catch (error) {
    log.error("a leaderboard was not compared", error, { board: id });
    return undefined;
  }
}

function add(
  total: { boards: number; compared: number; repaired: number; rebuilt: number },
  drift: Drift | undefined,
): void {
  if (!drift) return;
  total.boards++;
  total.compared += drift.compared;
  total.repaired += drift.repaired;
  total.rebuilt += drift.rebuilt;
}

/** How many players were looked at again because nobody has said what became of them. A read for each. */
async function mendForsaken(id: string): Promise<number> {
  const until = now() - FORSAKEN_MILLIS;
  const key = pendingKey(id);
  const found = await withRedis((client) => client.zrangebyscore(key, "-inf", until, "LIMIT", 0, MAX_FORSAKEN));
  let mended = 0;
  for (const member of found ?? []) {
    const names = namesIn(member);
    try {
      await followAgain(id, names);
    } catch (error) {
      log.warn("players were not mended", { board: id, why: String(error) });
      break;
    }
    await withRedis((client) => client.zrem(key, member));
    mended += names.length;
  }
  return mended;
}

function namesIn(member: string): string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(member.slice(member.indexOf(" ") + 1)));
  } catch {
    return [];
  }
}
