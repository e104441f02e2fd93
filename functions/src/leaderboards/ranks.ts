import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { firestore } from "../platform/firestore.ts";
import type { Ranks, RanksRequest, Row } from "./contract.ts";
import { countIn, orderIn } from "./ranked.ts";
import { type Player, players } from "./records.ts";
import { rowOf } from "./row.ts";
import { slotIn, viewOf } from "./view.ts";

/**
 * The ranks of up to 100 players. A read for each, and one for each 1,000 players counted, from the best of them to the last once. Refuses
 * what {@link viewOf} does.
 */
export async function ranks(_caller: Caller, request: z.output<typeof RanksRequest>): Promise<Ranks> {
  const view = await viewOf(request);
  const ids = [...new Set(request.players)].filter((id) => !id.includes("/"));
  const found = ids.length > 0 ? await firestore().getAll(...ids.map((id) => players(view.id).doc(id))) : [];
  const ranked = found.flatMap((snapshot) => {
    const player = snapshot.data() as Player | undefined;
    const [slot, order] = [slotIn(view, player), orderIn(view, player)];
    return player && slot && order !== undefined ? [{ id: snapshot.id, player, slot, order }] : [];
  });
  const rows = new Map<string, Row>();
  let [counted, from]: [number, string | undefined] = [0, undefined];
  for (const { id, player, slot, order } of ranked.sort((a, b) => (a.order < b.order ? -1 : 1))) {
    counted += await countIn(view, { ...(from === undefined ? {} : { from }), to: order });
    rows.set(id, rowOf(id, player, slot, counted + 1));
    counted++;
    from = order;
  }
  return { season: view.season.key, rows: ids.flatMap((id) => rows.get(id) ?? []) };
}
