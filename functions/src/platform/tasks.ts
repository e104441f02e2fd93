import { getApps, initializeApp } from "firebase-admin/app";
import { getFunctions } from "firebase-admin/functions";
import { config } from "./config.ts";

/** Puts a task on the queue of a function. Its name is its idempotency: a task of a name that is taken already is not put there twice. */
export async function enqueue(
  queue: string,
  task: { name: string; data: Record<string, unknown>; delaySeconds?: number },
): Promise<void> {
  const functions = getFunctions(getApps()[0] ?? initializeApp());
  try {
    await functions.taskQueue(`locations/${config.region.value()}/functions/${queue}`).enqueue(task.data, {
      id: task.name,
      ...(task.delaySeconds === undefined ? {} : { scheduleDelaySeconds: task.delaySeconds }),
    });
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "functions/task-already-exists";
}
