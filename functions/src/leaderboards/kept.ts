import * as z from "zod";
import { cached, type Freshness } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import { Row } from "./contract.ts";
import type { Period } from "./periods.ts";
import { nameOf } from "./place.ts";
import { following } from "./ranked.ts";
import type { View } from "./view.ts";

/** Rows of a page as Firestore has answered, and what sorts the last of them. */
const Kept = z.object({ rows: z.array(Row), last: z.string().optional() });

const MINUTE = 60;
/** For how long Redis answers instead of Firestore. What changes of seasons that are over, as who is shown how, is seen after 11 minutes. */
const REDIS_SECONDS: Record<Period, number> = {
  daily: MINUTE,
  custom: MINUTE,
  rolling: MINUTE,
  weekly: 5 * MINUTE,
  monthly: 5 * MINUTE,
  allTime: 5 * MINUTE,
};
const OVER: Freshness = { processSeconds: 10, redisSeconds: 10 * MINUTE, staleSeconds: MINUTE };
const STALE_SECONDS = 30;

/**
 * As {@link following}, out of Redis if any instance has asked lately. Only for what may be old, and is read document by document: what Redis'
 * own sorted sets answer costs no reads and is not kept twice.
 */
export const followingKept: typeof following = async (view, after, { rank, limit }) => {
  const { id, period, season, scope } = view;
  const key = ["boardRows", id, period, season.key, nameOf(scope), rank, limit, after ?? ""].join(":");
  const freshness = isOver(view) ? OVER : liveFreshness(period);
  const found = await cached(key, freshness, Kept, async () => {
    const { rows, last } = await following(view, after, { rank, limit });
    return { rows, ...(last === undefined ? {} : { last }) };
  });
  return { rows: found?.rows ?? [], last: found?.last };
};

function liveFreshness(period: Period): Freshness {
  return { processSeconds: 0, redisSeconds: REDIS_SECONDS[period], staleSeconds: STALE_SECONDS };
}

/** Whether a season takes no scores any more. */
export function isOver({ board, season }: Pick<View, "board" | "season">): boolean {
  return now() >= season.endsAt + board.late.acceptSeconds * 1_000;
}
