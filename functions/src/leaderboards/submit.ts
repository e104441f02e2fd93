import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { busy, Failure } from "../platform/failure.ts";
import { boardOf } from "./board.ts";
import type { SubmitRequest, Submitted } from "./contract.ts";
import { isDoubtful } from "./doubt.ts";
import { type Entered, type Entering, unchanged } from "./enter.ts";
import { seated } from "./leagues/seat.ts";
import { announce } from "./live/announce.ts";
import { submitterOf } from "./owner.ts";
import { keepAlone } from "./pending.ts";
import { storeWithSession } from "./session.ts";
import type { Board } from "./settings.ts";
import { store } from "./store.ts";

/** How far an app's clock may be ahead of ours. */
const MAX_AHEAD_MILLIS = 5_000;
/** Nothing that was played longer ago is taken, on whatever board. */
const MAX_BACK_MILLIS = 7 * 86_400_000;

/**
 * Enters a score. One read and one write whatever the number of periods and scopes, no read for who was here just now, and 2 more for the
 * profile of who is new; no write when nothing changes, or it was submitted before. With the token of a session 2 reads and 2 writes; a score
 * that is to be looked at first costs 2 reads and 2 writes; the first of a season in a league also takes a seat, for 2 reads and a write.
 *
 * Refuses `unknown-board`, `score-out-of-bounds`, `score-in-the-future`, `too-late`, `attempt-reused`, `attempts-used-up`,
 * `season-closing`, `user-banned`, `busy`; where a board requires a session `session-required`, `implausible-score`, and what games refuse of a token; of a
 * tournament `not-entered`, `tournament-not-on`; where groups play `not-in-a-group`.
 */
export async function submit(caller: Caller, request: z.output<typeof SubmitRequest>): Promise<Submitted> {
  const board = await boardOf(request.board);
  const { session } = request;
  if (session === undefined && board.session === "required") throw sessionRequired();
  if (session !== undefined && board.session === "none") throw unfit("session", "this board takes scores without");
  const owner = await submitterOf(board, caller);
  const entering = enteringOf(board, owner.uid, request);
  const id = request.board;
  const submission = { id, board, entering, caller: owner };
  const inReview = await isDoubtful(id, board, request.score);
  if (inReview && session === undefined) {
    const { repeated } = await keepAlone(submission);
    return reportOf(unchanged(board, undefined, entering, repeated), true);
  }
  const entered = await seated(submission, async (one) => {
    if (session !== undefined) return await storeWithSession({ ...submission, entering: one }, session, inReview);
    const stored = store({ ...submission, entering: one });
    if (!stored) throw busy();
    return await stored;
  });
  if (entered.player) await announce({ id, board, player: entered.player });
  return reportOf(entered, inReview);
}

function sessionRequired(): Failure {
  return new Failure("failed-precondition", "This board takes scores only from a session.", {
    reason: "session-required",
    field: "session",
  });
}

/** What of a request is to be entered. Refuses what the board does not accept. */
function enteringOf(board: Board, player: string, request: z.output<typeof SubmitRequest>): Entering {
  const { score, subscore, of, attempt, metadata, playedAt } = request;
  checkBounds("score", score, [board.minScore, board.maxScore]);
  if ((of === undefined) === (board.policy === "ratio")) throw unfit("of", "belongs to boards that rank ratios");
  if (playedAt !== undefined && request.session !== undefined) throw unfit("playedAt", "the session says when");
  if (subscore !== undefined && board.subscore === "none") throw unfit("subscore", "this board has none");
  if (subscore !== undefined) checkBounds("subscore", subscore, [board.minSubscore, board.maxSubscore]);
  const time = now();
  return {
    player,
    attempt,
    score,
    ...(of === undefined ? {} : { of }),
    ...(board.subscore === "none" ? {} : { sub: subscore ?? 0 }),
    ...(metadata === undefined ? {} : { metadata }),
    at: playedAt === undefined ? time : playedTime(playedAt, time),
    now: time,
  };
}

type Bounds = readonly [min: number | undefined, max: number | undefined];

function checkBounds(field: "score" | "subscore", value: number, [min, max]: Bounds): void {
  const { MIN_SAFE_INTEGER: least, MAX_SAFE_INTEGER: most } = Number;
  if (Number.isInteger(value) && value >= (min ?? least) && value <= (max ?? most)) return;
  throw new Failure("invalid-argument", `A ${field} of this board is a whole number of ${min ?? ""} to ${max ?? ""}.`, {
    reason: "score-out-of-bounds",
    field,
  });
}

function unfit(field: string, why: string): Failure {
  return new Failure("invalid-argument", `${field}: ${why}.`, { reason: "invalid-input", field });
}

function playedTime(playedAt: number, time: number): number {
  if (playedAt > time + MAX_AHEAD_MILLIS) {
    throw new Failure("invalid-argument", "This has not been played yet.", {
      reason: "score-in-the-future",
      field: "playedAt",
    });
  }
  if (playedAt < time - MAX_BACK_MILLIS) {
    throw new Failure("failed-precondition", "This was played too long ago.", {
      reason: "too-late",
      field: "playedAt",
    });
  }
  return Math.min(playedAt, time);
}

function reportOf({ bests, repeated }: Entered, inReview: boolean): Submitted {
  return { bests, repeated, inReview };
}
