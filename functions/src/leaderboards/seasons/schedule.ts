import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { deterministicId } from "../../platform/ids.ts";
import { enqueue } from "../../platform/tasks.ts";
import { isEnding, type Period } from "../periods.ts";
import { type Board, boards, PeriodName } from "../records.ts";
import { agePlayers } from "./age.ts";
import { closeSeasons } from "./close.ts";
import { nextToAge, nextToClose } from "./due.ts";

/** The function whose queue it is. */
const QUEUE = "seasonTasks";
/** Boards that are looked at in a minute. */
const MAX_BOARDS = 1_000;
/** A closing that was given up by its queue is begun anew after this. */
const AGAIN_MILLIS = 600_000;

export const SeasonTask = z.object({ board: z.string(), period: PeriodName.exclude(["allTime"]) });
type SeasonTask = z.infer<typeof SeasonTask>;

/** Begins to close what is to be closed; for a schedule. A read for each board that has something, one if there is none. */
export async function closeDue(): Promise<number> {
  const { docs } = await boards().where("nextCloseAt", "<=", now()).orderBy("nextCloseAt").limit(MAX_BOARDS).get();
  const slot = String(Math.floor(now() / AGAIN_MILLIS));
  const due = docs.flatMap((document) => dueOf(document.id, document.data()));
  for (const { number, ...task } of due) await put(task, [String(number), slot]);
  return due.length;
}

function dueOf(id: string, board: Board): (SeasonTask & { number: number })[] {
  return board.periods.flatMap((period) => {
    const number = dueNumber(board, period);
    return number === undefined || period === "allTime" ? [] : [{ board: id, period, number }];
  });
}

/** The number of the season of a period that is to be closed now; of a rolling one that of the last day that has aged. */
function dueNumber(board: Board, period: Period): number | undefined {
  if (isEnding(period)) {
    const next = nextToClose(board, period);
    return next && next.dueAt <= now() ? next.season.number : undefined;
  }
  const agesAt = period === "rolling" ? nextToAge(board) : undefined;
  return agesAt !== undefined && agesAt <= now() ? board.closedThrough?.rolling : undefined;
}

/** Does a part of what is to be done, and leaves the rest to another task. */
export async function runSeasonTask({ board, period }: SeasonTask): Promise<void> {
  const left = period === "rolling" ? await agePlayers(board) : await closeSeasons(board, period);
  if (left !== undefined) await put({ board, period }, [left]);
}

async function put(task: SeasonTask, names: readonly string[]): Promise<void> {
  await enqueue(QUEUE, { name: deterministicId("season", task.board, task.period, ...names), data: { ...task } });
}
