import { firstMomentOf, localDay } from "../calendar.ts";
import { type Ending, isEnding, type Season, seasonAt, seasonNumbered } from "../periods.ts";
import type { Board } from "../settings.ts";

/** Which seasons of a board are to be closed, and when. */

/**
 * For how long after the last score is accepted a season is left alone: longer than a request lasts (60 s) that has accepted one, and the
 * board may have been remembered for a minute by the instance that has.
 */
export const MARGIN_MILLIS = 180_000;
const SECOND = 1_000;

type Dated = Omit<Board, "nextCloseAt">;

/** The season of a period that is next to be closed, and from when on; undefined where none ever is. */
export function nextToClose(board: Dated, period: Ending): { season: Season; dueAt: number } | undefined {
  const closed = board.closedThrough?.[period];
  if (closed === undefined || !board.periods.includes(period)) return undefined;
  const season = seasonNumbered(period, closed + 1, board);
  if (!Number.isFinite(season.endsAt)) return undefined;
  return { season, dueAt: season.endsAt + board.late.acceptSeconds * SECOND + MARGIN_MILLIS };
}

/** When the players of a rolling period are next to be looked at: when another day has begun; undefined if they never are. */
export function nextToAge(board: Dated): number | undefined {
  const aged = board.closedThrough?.rolling;
  if (aged === undefined || !board.periods.includes("rolling")) return undefined;
  return firstMomentOf(board.timeZone, aged + 1);
}

/** When something of a board is next to be done; undefined where nothing ever is. */
export function nextCloseOf(board: Dated): number | undefined {
  const ends = board.periods.filter(isEnding).map((period) => nextToClose(board, period)?.dueAt);
  const all = [...ends, nextToAge(board)].filter((time) => time !== undefined);
  return all.length > 0 ? Math.min(...all) : undefined;
}

/** Of which seasons a board begins to be closed: from those on that are on. What is known of a period stays. */
export function closedBefore(board: Dated, at: number): NonNullable<Board["closedThrough"]> {
  const closed: NonNullable<Board["closedThrough"]> = {};
  for (const period of board.periods) {
    const known = board.closedThrough?.[period];
    if (isEnding(period)) closed[period] = known ?? firstOpen(board, period, at) - 1;
    if (period === "rolling") closed.rolling = known ?? localDay(board.timeZone, at);
  }
  return closed;
}

/** A tournament is one season, whether it has begun or not. */
function firstOpen(board: Dated, period: Ending, at: number): number {
  return board.tournament ? 0 : seasonAt(period, at, board).number;
}
