import { timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { enqueue } from "../platform/tasks.ts";
import { putOff } from "./change.ts";
import { type Withdrawal, withdrawals } from "./records.ts";
import type { State } from "./states.ts";
import { STEPS, type Went } from "./steps.ts";

/** Carries withdrawals on: at once where that takes no vendor, by tasks where it does, and by a sweep where a task was lost. */

/** The queue of the function that carries withdrawals on; exported under this name by `index.ts`. */
export const PAYOUT_QUEUE = "payoutTasks";

/** A withdrawal has fewer steps than this, with each try of a call a step of its own. */
const MAX_STEPS = 30;

/** Takes steps until there is nothing more to do for now. Only those of the given states, if there are any. */
export async function advance(id: string, only?: ReadonlySet<State>): Promise<Went> {
  for (let step = 0; step < MAX_STEPS; step++) {
    const current = (await withdrawals().doc(id).get()).data();
    if (!current || (only && !only.has(current.state))) return "wait";
    const went = await STEPS[current.state](id, current);
    if (went !== "on") return went;
  }
  return "again";
}

/** Puts a withdrawal's next step on the queue, once for each of its states. A task that cannot be queued is made up for by the sweep. */
export async function carryOn(id: string, { state, since }: Pick<Withdrawal, "state" | "since">): Promise<void> {
  await queue(id, `${state} ${since.toMillis()}`);
}

async function queue(id: string, round: string): Promise<void> {
  try {
    await enqueue(PAYOUT_QUEUE, { name: deterministicId("withdrawal", id, round), data: { id } });
  } catch (error) {
    log.error("withdrawal not queued", error, { withdrawal: id });
  }
}

/** Thrown for the queue to come again. */
export class Again extends Error {
  override readonly name = "Again";
}

/** What a task does. Throws {@link Again} if the queue is to come again. */
export async function runTask(id: string): Promise<void> {
  if ((await advance(id)) === "again") throw new Again(`withdrawal ${id} could not be carried on`);
}

const PAGE = 100;
const MAX_PAGES = 20;

/** Queues withdrawals that nobody has looked at for too long. For a schedule. Returns how many. */
export async function sweepWithdrawals(): Promise<number> {
  const due = withdrawals().where("dueAt", "<=", timestamp()).orderBy("dueAt").limit(PAGE);
  let count = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { docs } = await due.get();
    for (const document of docs) {
      const current = document.data();
      await putOff(document);
      await queue(document.id, `sweep ${current.dueAt?.toMillis()}`);
    }
    count += docs.length;
    if (docs.length < PAGE) break;
  }
  return count;
}
