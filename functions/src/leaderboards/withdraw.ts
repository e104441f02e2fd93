import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { transact } from "../platform/firestore.ts";
import { boardOf } from "./board.ts";
import type { Withdrawn, WithdrawRequest } from "./contract.ts";
import { announceChange } from "./live/announce.ts";
import { players } from "./records.ts";

/** Takes the caller off a board, with all scores of the seasons that are on. A read, and a delete if there was something. Refuses `unknown-board`. */
export async function withdraw(caller: Caller, { board: id }: z.output<typeof WithdrawRequest>): Promise<Withdrawn> {
  const board = await boardOf(id);
  const gone = await transact(async (tx) => {
    const reference = players(id).doc(caller.uid);
    const player = (await tx.get(reference)).data();
    // Who was taken off by an operator stays known for it.
    if (!player || player.hidden !== undefined) return undefined;
    tx.delete(reference);
    return player;
  });
  if (gone) await announceChange({ id, board, player: gone });
  return { withdrawn: gone !== undefined };
}
