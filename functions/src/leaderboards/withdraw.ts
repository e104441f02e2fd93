import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { transact } from "../platform/firestore.ts";
import { boardOf } from "./board.ts";
import type { Withdrawn, WithdrawRequest } from "./contract.ts";
import { announceChange } from "./live/announce.ts";
import { forgetPlayer } from "./memory.ts";
import { type Player, players } from "./records.ts";
import type { Change } from "./redis/changes.ts";
import { announce, follow } from "./redis/follow.ts";

/** Takes the caller off a board, with all scores of the seasons that are on. A read, and a delete if there was something. Refuses `unknown-board`. */
export async function withdraw(caller: Caller, { board: id }: z.output<typeof WithdrawRequest>): Promise<Withdrawn> {
  const board = await boardOf(id);
  const announced = announce(id, [caller.uid]);
  const gone = await transact(async (tx): Promise<(Change & { readonly before: Player }) | undefined> => {
    const reference = players(id).doc(caller.uid);
    const snapshot = await tx.get(reference);
    const player = snapshot.data();
    // Who was taken off by an operator stays known for it.
    if (!player || !snapshot.updateTime || player.hidden !== undefined) return undefined;
    const { name, entry } = player;
    // Whoever has joined a tournament stays in it.
    if (entry) tx.set(reference, { player: caller.uid, name, attempts: [], entry });
    else tx.delete(reference);
    return { player: caller.uid, before: player, after: undefined, version: snapshot.updateTime };
  });
  forgetPlayer(players(id).doc(caller.uid).path);
  await follow(id, board, gone ? [gone] : [], announced);
  if (gone) await announceChange({ id, board, player: gone.before });
  return { withdrawn: gone !== undefined };
}
