import { now } from "../platform/clock.ts";
import { seasonAt, slotOf } from "./periods.ts";
import { GLOBAL } from "./place.ts";
import { countIn, following } from "./ranked.ts";
import type { Board } from "./settings.ts";

/** Whether a score is so far from what others have that somebody is to look at it first. */

/** Among fewer players nobody is far from the others. */
const ENOUGH_PLAYERS = 100;
/** For how long the best score of a board is taken to be what it was. */
const FRESH_MILLIS = 60_000;
const MAX_BOARDS = 1_000;

const bests = new Map<string, { score: number | undefined; until: number }>();

/** Bill: once a minute, of boards that compare with the best, 2 reads. */
export async function isDoubtful(id: string, board: Board, score: number): Promise<boolean> {
  const { beyond, timesTheBest } = board.review;
  if (beyond !== undefined && isBetter(board, score, beyond)) return true;
  if (timesTheBest === undefined) return false;
  const best = await bestOf(id, board);
  if (best === undefined) return false;
  return isBetter(board, score, board.order === "descending" ? best * timesTheBest : best / timesTheBest);
}

function isBetter({ order }: Board, score: number, than: number): boolean {
  return order === "descending" ? score > than : score < than;
}

/** The best score of the season of the board's longest period; undefined while only few have one. */
async function bestOf(id: string, board: Board): Promise<number | undefined> {
  const at = now();
  const known = bests.get(id);
  if (known && at < known.until && at >= known.until - FRESH_MILLIS) return known.score;
  const period = board.periods.includes("allTime") ? "allTime" : (board.periods.at(-1) ?? "allTime");
  const season = seasonAt(period, at, board);
  const view = { id, board, period, season, slot: slotOf(period, season), scope: GLOBAL };
  const [first, count] = await Promise.all([
    following(view, undefined, { rank: 1, limit: 1 }),
    countIn(view, {}, ENOUGH_PLAYERS),
  ]);
  const score = count < ENOUGH_PLAYERS ? undefined : first.rows[0]?.score;
  if (bests.size >= MAX_BOARDS) bests.clear();
  bests.set(id, { score, until: at + FRESH_MILLIS });
  return score;
}
