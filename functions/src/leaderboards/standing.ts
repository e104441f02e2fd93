import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import type { Standing, StandingRequest } from "./contract.ts";
import { sortedAnew } from "./enter.ts";
import { seasonAt, slotOf } from "./periods.ts";
import { countIn, following, orderIn, preceding } from "./ranked.ts";
import { type Board, type Player, players } from "./records.ts";
import { rowOf } from "./row.ts";
import { slotIn, type View, viewOf } from "./view.ts";

/**
 * The caller's rank and neighbours: one read for the player and each neighbour, and one for each 1,000 players counted. Refuses what
 * {@link viewOf} does.
 */
export async function standing(caller: Caller, request: z.output<typeof StandingRequest>): Promise<Standing> {
  const view = await viewOf(request);
  const player = (await players(view.id).doc(caller.uid).get()).data();
  const slot = slotIn(view, player);
  const order = orderIn(view, asSeenByThemselves(view.board, player));
  const bests = bestsOf(view.board, player);
  const season = view.season.key;
  if (!player || !slot || order === undefined) {
    return { season, of: await countIn(view), ...(slot ? { score: slot.score } : {}), bests, neighbours: [] };
  }
  const [of, better] = await Promise.all([countIn(view), countIn(view, { to: order })]);
  const rank = better + 1;
  const [above, below] = await neighboursOf(view, order, { rank, reach: request.neighbours });
  const neighbours = [...above, rowOf(caller.uid, player, slot, rank), ...below];
  return { season, of, rank, percentile: percentileOf(rank, of), score: slot.score, bests, neighbours };
}

/** Who is hidden in the shadow does not notice: they see themselves where they would be. */
function asSeenByThemselves(board: Board, player: Player | undefined): Player | undefined {
  if (player?.hidden !== "shadow") return player;
  const { hidden: _, ...seen } = player;
  return sortedAnew(board, seen);
}

/** The share of all whom somebody at a rank is at least as good as, in percent with two decimals. */
function percentileOf(rank: number, of: number): number {
  const share = of === 0 ? 0 : (of - rank + 1) / of;
  return Math.max(0, Math.min(100, Math.round(share * 10_000) / 100));
}

async function neighboursOf(view: View, order: string, { rank, reach }: { rank: number; reach: number }) {
  if (reach === 0) return [[], []] as const;
  const [above, below] = await Promise.all([
    preceding(view, order, { rank, limit: reach }),
    following(view, order, { rank: rank + 1, limit: reach }),
  ]);
  return [above, below.rows] as const;
}

/** What a player has in the seasons that are on. */
function bestsOf(board: Board, player: Player | undefined): Standing["bests"] {
  const bests: Standing["bests"] = {};
  for (const period of board.periods) {
    const season = seasonAt(period, now(), board);
    const slot = slotIn({ slot: slotOf(period, season), season }, player);
    if (!slot) continue;
    const { score, sub, at } = slot;
    bests[period] = { season: season.key, score, ...(sub === undefined ? {} : { subscore: sub }), at: at.toMillis() };
  }
  return bests;
}
