import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import type { Row, Standing, StandingRequest } from "./contract.ts";
import { sortedAnew } from "./enter.ts";
import { ownerOf } from "./owner.ts";
import { seasonShown, slotOf } from "./periods.ts";
import { GLOBAL } from "./place.ts";
import { type Estimate, rankOf, sizeOf } from "./rank.ts";
import { following, orderIn, preceding } from "./ranked.ts";
import { type Player, players } from "./records.ts";
import { type KeptStanding, keptRanks, keptStanding } from "./redis/read.ts";
import { rowOf } from "./row.ts";
import type { Board } from "./settings.ts";
import { slotIn, type View, viewOf } from "./view.ts";

type Bests = Standing["bests"];

/**
 * The caller's rank and neighbours. No reads where Redis has them; else one for the player and each neighbour, and at most 32 for the rank
 * and the number of players, however many there are. Refuses what {@link viewOf} does.
 */
export async function standing(caller: Caller, request: z.output<typeof StandingRequest>): Promise<Standing> {
  const view = await viewOf(request);
  const { uid } = await ownerOf(view.board, caller);
  const [kept, bests] = await Promise.all([keptStanding(view, uid, request.neighbours), keptBests(view, uid)]);
  // Of who has a score and is not ranked, their document knows whether they are to notice.
  if (kept && (kept.rank !== undefined || !kept.known)) return await standingKept(view, uid, kept, bests);
  const player = (await players(view.id).doc(uid).get()).data();
  return await standingRead(view, { uid, player, reach: request.neighbours });
}

/** What the player has in the other periods; undefined if Redis does not have them all. */
async function keptBests(view: View, uid: string): Promise<Bests | undefined> {
  const others = view.board.periods.filter((period) => period !== view.period);
  const found = await Promise.all(
    others.map(async (period) => {
      const season = seasonShown(period, now(), view.board);
      const kept = await keptRanks({ ...view, period, season, slot: slotOf(period, season), scope: GLOBAL }, [uid]);
      return kept && { period, best: bestOf(season.key, kept[0]?.known?.row) };
    }),
  );
  const bests: Bests = {};
  for (const one of found) {
    if (!one) return undefined;
    if (one.best) bests[one.period] = one.best;
  }
  return bests;
}

function bestOf(season: string, row: Omit<Row, "rank"> | undefined): Bests[keyof Bests] {
  if (!row) return undefined;
  const { score, subscore, at } = row;
  return { season, score, ...(subscore === undefined ? {} : { subscore }), at };
}

async function standingKept(
  view: View,
  uid: string,
  { of, known, rank, neighbours }: KeptStanding,
  others: Bests | undefined,
): Promise<Standing> {
  const season = view.season.key;
  const best = bestOf(season, known?.row);
  const bests = others
    ? { ...others, ...(best ? { [view.period]: best } : {}) }
    : bestsOf(view.board, (await players(view.id).doc(uid).get()).data());
  const score = known ? { score: known.row.score } : {};
  if (rank === undefined) return { season, of, ...score, bests, neighbours: [] };
  return { season, of, rank, percentile: percentileOf(rank, of), ...score, bests, neighbours };
}

interface Read {
  readonly uid: string;
  readonly player: Player | undefined;
  readonly reach: number;
}

async function standingRead(view: View, { uid, player, reach }: Read): Promise<Standing> {
  const slot = slotIn(view, player);
  const order = orderIn(view, asSeenByThemselves(view.board, player));
  const bests = bestsOf(view.board, player);
  const season = view.season.key;
  if (!player || !slot || order === undefined) {
    const { value: of, ...estimate } = await sizeOf(view);
    return { season, of, ...estimate, ...(slot ? { score: slot.score } : {}), bests, neighbours: [] };
  }
  const [size, rank] = await Promise.all([sizeOf(view), rankOf(view, order)]);
  const [above, below] = await neighboursOf(view, order, { rank: rank.value, reach });
  const mark = rank.approximate ? { approximate: true as const } : {};
  const neighbours = [...above, rowOf(uid, player, slot, rank.value), ...below].map((row) => ({ ...row, ...mark }));
  return { season, ...rankAmong(rank, size), score: slot.score, bests, neighbours };
}

/** Nobody is behind the last, even if the two were not counted at the same time. */
function rankAmong(
  { value: rank, approximate }: Estimate,
  size: Estimate,
): Pick<Standing, "rank" | "of" | "percentile" | "approximate"> {
  const of = Math.max(rank, size.value);
  const isEstimate = approximate || size.approximate;
  return { of, rank, percentile: percentileOf(rank, of), ...(isEstimate ? { approximate: true } : {}) };
}

/** Who is hidden in the shadow does not notice: they see themselves where they would be. */
export function asSeenByThemselves(board: Board, player: Player | undefined): Player | undefined {
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
function bestsOf(board: Board, player: Player | undefined): Bests {
  const bests: Bests = {};
  for (const period of board.periods) {
    const season = seasonShown(period, now(), board);
    const slot = slotIn({ slot: slotOf(period, season), season }, player);
    if (!slot) continue;
    const { score, sub, at } = slot;
    bests[period] = { season: season.key, score, ...(sub === undefined ? {} : { subscore: sub }), at: at.toMillis() };
  }
  return bests;
}
