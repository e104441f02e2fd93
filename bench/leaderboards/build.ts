import type { RedisServer } from "../../functions/testing/redis.ts";
import { type DatabaseProcess, settings } from "../serving/processes.ts";
import { BOARD } from "../serving/requests.ts";
import { connectTo, takenBy } from "./memory.ts";
import { PERIOD } from "./players.ts";

export interface Built {
  readonly seconds: number;
  readonly redisBytes: number;
}

/**
 * Does what the tasks of the deployed backend do for a board: counts how its players spread, by which they are ranked without Redis, and has
 * Redis, if there is one, built out of the database.
 */
export async function build(database: DatabaseProcess, redis: RedisServer | undefined): Promise<Built | undefined> {
  Object.assign(process.env, settings(database));
  const { forgetAll } = await import("../../functions/src/platform/cache.ts");
  const { firestore } = await import("../../functions/src/platform/firestore.ts");
  const { disconnect } = await import("../../functions/src/platform/redis.ts");
  await countSpread();
  const built = redis && (await buildRedis(redis));
  forgetAll();
  await disconnect();
  await firestore().terminate();
  const { deleteApp, getApps } = await import("firebase-admin/app");
  await Promise.all(getApps().map(deleteApp));
  // Whoever connects next says for itself where to.
  delete process.env.FIRESTORE_EMULATOR_HOST;
  return built;
}

async function countSpread(): Promise<void> {
  const { count } = await import("../../functions/src/leaderboards/histogram.ts");
  const { exactBound } = await import("../../functions/src/leaderboards/rank.ts");
  const { BoardTask, currentSlot } = await import("../../functions/src/leaderboards/redis/tasks.ts");
  const scope = { kind: "global" };
  const task = { kind: "count", board: BOARD, period: PERIOD, season: "all", scope, slot: currentSlot() };
  const parsed = BoardTask.parse(task);
  if (parsed.kind === "count") await count(parsed, exactBound(), Number.POSITIVE_INFINITY);
}

async function buildRedis(redis: RedisServer): Promise<Built> {
  const { rebuild } = await import("../../functions/src/leaderboards/redis/rebuild.ts");
  const { BoardTask } = await import("../../functions/src/leaderboards/redis/tasks.ts");
  await connectTo(redis);
  const empty = await takenBy();
  const began = performance.now();
  const task = BoardTask.parse({ kind: "rebuild", board: BOARD, generation: "bench" });
  if (task.kind === "rebuild") await rebuild(task, { pagesATask: Number.POSITIVE_INFINITY });
  const seconds = (performance.now() - began) / 1_000;
  // With what belonged to the connection that has built it gone.
  await connectTo(redis);
  return { seconds, redisBytes: (await takenBy()).bytes - empty.bytes };
}
