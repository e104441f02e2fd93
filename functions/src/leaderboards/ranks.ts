import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { firestore } from "../platform/firestore.ts";
import type { Ranks, RanksRequest, Row } from "./contract.ts";
import { ranksOf } from "./rank.ts";
import { orderIn } from "./ranked.ts";
import { type Player, players } from "./records.ts";
import { keptRanks } from "./redis/read.ts";
import { rowOf } from "./row.ts";
import { slotIn, type View, viewOf } from "./view.ts";

/**
 * The ranks of up to 100 players. No reads where Redis has them; else one for each, ten for the ranks up to 10,000 together, and at most
 * ten for each rank above. Refuses what {@link viewOf} does.
 */
export async function ranks(_caller: Caller, request: z.output<typeof RanksRequest>): Promise<Ranks> {
  const view = await viewOf(request);
  const ids = [...new Set(request.players)].filter((id) => !id.includes("/"));
  const season = view.season.key;
  if (ids.length === 0) return { season, rows: [] };
  const kept = await keptRanks(view, ids);
  if (!kept) return { season, rows: await rowsRead(view, ids) };
  return {
    season,
    rows: kept.flatMap(({ rank, known }) => (rank === undefined || !known ? [] : [{ rank, ...known.row }])),
  };
}

async function rowsRead(view: View, ids: readonly string[]): Promise<Row[]> {
  const found = await firestore().getAll(...ids.map((id) => players(view.id).doc(id)));
  const ranked = found.flatMap((snapshot) => {
    const player = snapshot.data() as Player | undefined;
    const [slot, order] = [slotIn(view, player), orderIn(view, player)];
    return player && slot && order !== undefined ? [{ id: snapshot.id, player, slot, order }] : [];
  });
  ranked.sort((a, b) => (a.order < b.order ? -1 : 1));
  const estimates = await ranksOf(
    view,
    ranked.map(({ order }) => order),
  );
  const rows = new Map<string, Row>();
  for (const [i, { id, player, slot }] of ranked.entries()) {
    const { value = 0, ...estimate } = estimates[i] ?? {};
    rows.set(id, { ...rowOf(id, player, slot, value), ...estimate });
  }
  return ids.flatMap((id) => rows.get(id) ?? []);
}
