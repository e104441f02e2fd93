import { cached } from "../platform/cache.ts";
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

export function cacheKey(id: string): string {
  return `board:${id}`;
}
