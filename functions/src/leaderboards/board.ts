import { atHand, cached } from "../platform/cache.ts";
import { Failure } from "../platform/failure.ts";
import { boards } from "./records.ts";
import { Board } from "./settings.ts";

const FRESH = { processSeconds: 60, redisSeconds: 600 };

/** The board of this id. Refuses `unknown-board`. */
export async function boardOf(id: string): Promise<Board> {
  const board = await cached(cacheKey(id), FRESH, Board, async () => (await boards().doc(id).get()).data());
  if (!board) throw new Failure("not-found", `There is no leaderboard "${id}".`, { reason: "unknown-board" });
  return board;
}

/** The board of this id, if it is at hand; else {@link boardOf} is to be asked. */
export function boardAtHand(id: string): Board | undefined {
  return atHand(cacheKey(id), Board);
}

export function cacheKey(id: string): string {
  return `board:${id}`;
}
