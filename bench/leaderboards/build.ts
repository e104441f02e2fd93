import type { RedisServer } from "../../functions/testing/redis.ts";
import { type DatabaseProcess, settings } from "../serving/processes.ts";
import { BOARD } from "../serving/requests.ts";

/** Has Redis built out of the database, as the tasks of the deployed backend do. Answers with the seconds that it took. */
export async function build(database: DatabaseProcess, redis: RedisServer): Promise<number> {
  Object.assign(process.env, settings(database), { REDIS_URL: redis.url });
  const { rebuild } = await import("../../functions/src/leaderboards/redis/rebuild.ts");
  const { BoardTask } = await import("../../functions/src/leaderboards/redis/tasks.ts");
  const { firestore } = await import("../../functions/src/platform/firestore.ts");
  const { disconnect } = await import("../../functions/src/platform/redis.ts");
  const { forgetAll } = await import("../../functions/src/platform/cache.ts");
  const began = performance.now();
  const task = BoardTask.parse({ kind: "rebuild", board: BOARD, generation: "bench" });
  if (task.kind === "rebuild") await rebuild(task, { pagesATask: Number.POSITIVE_INFINITY });
  const seconds = (performance.now() - began) / 1_000;
  forgetAll();
  await disconnect();
  await firestore().terminate();
  const { deleteApp, getApps } = await import("firebase-admin/app");
  await Promise.all(getApps().map(deleteApp));
  // Whoever connects next says for itself where to.
  delete process.env.FIRESTORE_EMULATOR_HOST;
  return seconds;
}
