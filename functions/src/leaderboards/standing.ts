import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { boardOf } from "./board.ts";
import type { Row, Standing, StandingRequest } from "./contract.ts";
import { seasonAt, slotOf } from "./periods.ts";
import { countRanked, ranked, seasonRange } from "./rank.ts";
import { type Player, players, type SlotName } from "./records.ts";
import { rowOf, slotIn } from "./row.ts";

interface Place {
  readonly board: string;
  readonly season: string;
  readonly slot: SlotName;
  readonly player: string;
  readonly record: Player;
}

/**
 * The caller's exact rank and neighbours, from Firestore alone: one read for the player and each neighbour, and one for each 1,000
 * players counted. Refuses `unknown-board`.
 */
export async function standing(caller: Caller, request: z.output<typeof StandingRequest>): Promise<Standing> {
  const { board, period, neighbours } = request;
  const { timeZone } = await boardOf(board);
  const season = seasonAt(period, now(), timeZone);
  const slot = slotOf(period, season);
  const { first, last } = seasonRange(season.key);
  const record = (await players(board).doc(caller.uid).get()).data();
  const mine = record?.[slot];
  if (!record || mine?.season !== season.key) {
    return { season: season.key, of: await countRanked(board, slot, { from: first, to: last }), neighbours: [] };
  }
  const place: Place = { board, season: season.key, slot, player: caller.uid, record };
  const [of, better] = await Promise.all([
    countRanked(board, slot, { from: first, to: last }),
    countRanked(board, slot, { from: first, to: mine.order }),
  ]);
  const rank = better + 1;
  return { season: season.key, of, rank, score: mine.score, neighbours: await around(place, rank, neighbours) };
}

/** The players next to a place on both sides, by rank, the one at the place included. */
async function around({ board, season, slot, player, record }: Place, rank: number, reach: number): Promise<Row[]> {
  const me = rowOf(player, record, slot, rank);
  if (reach === 0) return [me];
  const { first, last } = seasonRange(season);
  const { order } = slotIn(record, slot);
  const field = `${slot}.order`;
  const [above, below] = await Promise.all([
    ranked(board, slot, { from: first, to: order }).orderBy(field, "desc").limit(reach).get(),
    ranked(board, slot, { from: order, to: last }).orderBy(field).limit(reach).get(),
  ]);
  return [
    ...above.docs.map((document, i) => rowOf(document.id, document.data(), slot, rank - 1 - i)).reverse(),
    me,
    ...below.docs.map((document, i) => rowOf(document.id, document.data(), slot, rank + 1 + i)),
  ];
}
