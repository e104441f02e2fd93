import {
  type CollectionReference,
  Filter,
  type QueryDocumentSnapshot,
  type Transaction,
} from "../platform/firestore.ts";
import type { Row } from "./contract.ts";
import { ORDER_FIELD, rangeOf } from "./place.ts";
import { type Player, players } from "./records.ts";
import { rowOf } from "./row.ts";
import { slotIn, type View } from "./view.ts";

/** The players of a view by rank, out of Firestore: each question is a range of one index. */

export type Place = Pick<View, "id" | "slot" | "season" | "scope">;
type PlayersQuery = ReturnType<CollectionReference<Player>["where"]>;

/** The players from one place in the order to another, both of them not included. Absent: where the view begins or ends. */
function between(view: Place, { from, to }: { from?: string; to?: string }): PlayersQuery {
  const field = orderField(view);
  const { first, last } = rangeOf({ season: view.season.key, scope: view.scope });
  return players(view.id).where(
    Filter.and(Filter.where(field, ">", from ?? first), Filter.where(field, "<", to ?? last)),
  );
}

function orderField({ slot, scope }: Place): string {
  return `${slot}.${ORDER_FIELD[scope.kind]}`;
}

/** What sorts a player in a view; undefined for one who is not ranked there. */
export function orderIn(view: View, player: Player | undefined): string | undefined {
  const slot = slotIn(view, player);
  const order = slot?.[ORDER_FIELD[view.scope.kind]];
  return order?.startsWith(rangeOf({ season: view.season.key, scope: view.scope }).first) ? order : undefined;
}

/** What sorts the first of a view, or the last. A read. */
export async function edgeOf(view: View, which: "first" | "last"): Promise<string | undefined> {
  const { docs } = await between(view, {})
    .orderBy(orderField(view), which === "first" ? "asc" : "desc")
    .limit(1)
    .get();
  return docs[0] && orderIn(view, docs[0].data());
}

/** Those behind a place, best first. A read for each. @param rank of the first of them */
export async function following(
  view: View,
  after: string | undefined,
  { rank, limit, tx }: { rank: number; limit: number; tx?: Transaction },
): Promise<{ rows: Row[]; last: string | undefined }> {
  const docs = await documentsBehind(view, after, limit, tx);
  const last = docs.at(-1);
  return { rows: docs.map((document, i) => rowIn(view, document, rank + i)), last: last && orderIn(view, last.data()) };
}

/** The documents of those behind a place, best first; in a transaction, as they stay until that is committed. A read for each. */
export async function documentsBehind(
  view: View,
  after: string | undefined,
  limit: number,
  tx?: Transaction,
): Promise<QueryDocumentSnapshot<Player>[]> {
  const query = between(view, after === undefined ? {} : { from: after })
    .orderBy(orderField(view))
    .limit(limit);
  return (await (tx ? tx.get(query) : query.get())).docs;
}

/** Those in front of a place, best first. A read for each. @param rank of the place */
export async function preceding(
  view: View,
  before: string,
  { rank, limit }: { rank: number; limit: number },
): Promise<Row[]> {
  const { docs } = await between(view, { to: before }).orderBy(orderField(view), "desc").limit(limit).get();
  return docs.map((document, i) => rowIn(view, document, rank - 1 - i)).reverse();
}

/** How many are ranked, or are in front of a place. A read for each 1,000 that are counted. @param limit at which counting ends */
export async function countIn(
  view: Place,
  range: { from?: string; to?: string } = {},
  limit?: number,
): Promise<number> {
  const query = between(view, range);
  return (await (limit === undefined ? query : query.limit(limit)).count().get()).data().count;
}

/** The line of a player who was found in a view. */
export function rowIn(view: View, document: QueryDocumentSnapshot<Player>, rank: number): Row {
  const player = document.data();
  const slot = slotIn(view, player);
  if (!slot) throw new Error(`a player without a score was found by ${orderField(view)}`);
  return rowOf(document.id, player, slot, rank);
}
