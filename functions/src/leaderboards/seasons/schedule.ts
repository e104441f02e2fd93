import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { deterministicId } from "../../platform/ids.ts";
import { enqueue } from "../../platform/tasks.ts";
import { isEnding } from "../periods.ts";
import { boards } from "../records.ts";
import { type Board, PeriodName } from "../settings.ts";
import { Walk, walk } from "../walk.ts";
import { agePlayers } from "./age.ts";
import { closeSeasons } from "./close.ts";
import { nextToAge, nextToClose } from "./due.ts";
import { SEASON_QUEUE } from "./queue.ts";

/** Boards that are looked at at a time. */
const MAX_BOARDS = 1_000;
/** A closing that was given up by its queue is begun anew after this. */
const AGAIN_MILLIS = 600_000;
/** Longer than from one run of the schedule to the next. */
const AHEAD_MILLIS = 660_000;
const SECOND = 1_000;

const Close = z.object({ board: z.string(), period: PeriodName.exclude(["allTime"]) });
type Close = z.infer<typeof Close>;

export const SeasonTask = z.union([Close, Walk]);
type SeasonTask = z.infer<typeof SeasonTask>;

/**
 * Has closed what is to be closed, and what will be until the schedule comes again: a task waits for its moment. A read for each board that
 * has something, one if there is none.
 */
export async function closeDue(): Promise<number> {
  const soon = now() + AHEAD_MILLIS;
  const { docs } = await boards().where("nextCloseAt", "<=", soon).orderBy("nextCloseAt").limit(MAX_BOARDS).get();
  const due = docs.flatMap((document) => dueOf(document.data()).map((one) => ({ ...one, board: document.id })));
  for (const { board, period, number, dueAt } of due) {
    const delay = Math.max(0, dueAt - now());
    // What is overdue may have been given up by its queue, which remembers the name.
    const time = delay > 0 ? `at ${dueAt}` : `again ${Math.floor(now() / AGAIN_MILLIS)}`;
    await put({ board, period }, { names: [String(number), time], delaySeconds: Math.ceil(delay / SECOND) });
  }
  return due.length;
}

interface Due {
  readonly period: Close["period"];
  /** Of the season that is to be closed; of a rolling period the last day that has aged. */
  readonly number: number;
  readonly dueAt: number;
}

function dueOf(board: Board): Due[] {
  const { rolling = 0 } = board.closedThrough ?? {};
  const agesAt = nextToAge(board);
  const ends = board.periods.filter(isEnding).flatMap((period): Due[] => {
    const next = nextToClose(board, period);
    return next ? [{ period, number: next.season.number, dueAt: next.dueAt }] : [];
  });
  const all: Due[] = [
    ...ends,
    ...(agesAt === undefined ? [] : [{ period: "rolling" as const, number: rolling, dueAt: agesAt }]),
  ];
  return all.filter(({ dueAt }) => dueAt <= now() + AHEAD_MILLIS);
}

/** Does a part of what is to be done, and leaves the rest to another task. */
export async function runSeasonTask(task: SeasonTask): Promise<void> {
  if ("user" in task) return await walk(task);
  const { board, period } = task;
  const left = period === "rolling" ? await agePlayers(board) : await closeSeasons(board, period);
  if (left !== undefined) await put({ board, period }, { names: [left] });
}

async function put(task: Close, of: { names: readonly string[]; delaySeconds?: number }): Promise<void> {
  const name = deterministicId("season", task.board, task.period, ...of.names);
  const delay = of.delaySeconds ? { delaySeconds: of.delaySeconds } : {};
  await enqueue(SEASON_QUEUE, { name, data: { ...task }, ...delay });
}
