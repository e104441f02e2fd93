import type * as z from "zod";
import { friendsOf } from "../identity/index.ts";
import type { Caller } from "../platform/endpoint.ts";
import { firestore } from "../platform/firestore.ts";
import type { Friends, FriendsRequest } from "./contract.ts";
import { GLOBAL } from "./place.ts";
import { orderIn } from "./ranked.ts";
import { type Player, players } from "./records.ts";
import { rowOf } from "./row.ts";
import { asSeenByThemselves } from "./standing.ts";
import { slotIn, viewOf } from "./view.ts";

/** More friends than that are not looked at. */
export const MAX_FRIENDS = 500;

/**
 * The caller and their friends by rank among themselves, in the season that is on. A read for each of them, 501 at most, and what it takes to
 * know who they are. Refuses what {@link viewOf} does.
 */
export async function friends({ uid }: Caller, request: z.output<typeof FriendsRequest>): Promise<Friends> {
  const { board: id, period } = request;
  const [view, ids] = await Promise.all([viewOf({ board: id, period, scope: GLOBAL }), friendsOf(uid)]);
  const everybody = [...new Set([uid, ...ids.slice(0, MAX_FRIENDS)])];
  const found = await firestore().getAll(...everybody.map((one) => players(id).doc(one)));
  const ranked = found.flatMap((snapshot) => {
    const player = snapshot.data() as Player | undefined;
    const seen = snapshot.id === uid ? asSeenByThemselves(view.board, player) : player;
    const [slot, order] = [slotIn(view, seen), orderIn(view, seen)];
    return seen && slot && order !== undefined ? [{ id: snapshot.id, player: seen, slot, order }] : [];
  });
  const sorted = ranked.sort((one, other) => (one.order < other.order ? -1 : 1));
  return {
    season: view.season.key,
    rows: sorted.map(({ id: who, player, slot }, i) => rowOf(who, player, slot, i + 1)),
  };
}
