import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { firestore } from "../platform/firestore.ts";
import type { Friends, FriendsRequest } from "./contract.ts";
import { GLOBAL } from "./place.ts";
import { orderIn } from "./ranked.ts";
import { type Player, players } from "./records.ts";
import { rowOf } from "./row.ts";
import { slotIn, viewOf } from "./view.ts";

/** More friends than that are not looked at. */
export const MAX_FRIENDS = 500;

/** Whose friends a player has, by their ids. */
export type FriendsOf = (player: string) => Promise<readonly string[]>;

/** Nobody has friends yet. */
export const noFriends: FriendsOf = async () => [];

/**
 * The caller and their friends by rank among themselves, in the season that is on. A read for each of them, 501 at most, and what it takes to
 * know who they are. Refuses what {@link viewOf} does.
 */
export function friendsBy(friendsOf: FriendsOf) {
  return async ({ uid }: Caller, { board, period }: z.output<typeof FriendsRequest>): Promise<Friends> => {
    const [view, friends] = await Promise.all([viewOf({ board, period, scope: GLOBAL }), friendsOf(uid)]);
    const ids = [...new Set([uid, ...friends.slice(0, MAX_FRIENDS)])];
    const found = await firestore().getAll(...ids.map((id) => players(board).doc(id)));
    const ranked = found.flatMap((snapshot) => {
      const player = snapshot.data() as Player | undefined;
      const [slot, order] = [slotIn(view, player), orderIn(view, player)];
      return player && slot && order !== undefined ? [{ id: snapshot.id, player, slot, order }] : [];
    });
    const sorted = ranked.sort((one, other) => (one.order < other.order ? -1 : 1));
    return {
      season: view.season.key,
      rows: sorted.map(({ id, player, slot }, i) => rowOf(id, player, slot, i + 1)),
    };
  };
}
