import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { NO_ATTEMPTS } from "./attempts.ts";
import { boardOf } from "./board.ts";
import { changePlayer } from "./change-player.ts";
import type { Withdrawn, WithdrawRequest } from "./contract.ts";

/** Takes the caller off a board, with all scores of the seasons that are on. A read, and a delete if there was something. Refuses `unknown-board`. */
export async function withdraw(caller: Caller, { board: id }: z.output<typeof WithdrawRequest>): Promise<Withdrawn> {
  const board = await boardOf(id);
  if (board.owner === "group")
    throw invalidInput("board", "must be one of players: a group's score is not one member's.");
  return await changePlayer<Withdrawn>({ id, board, player: caller.uid }, async (_tx, before) => {
    // Who was taken off by an operator stays known for it.
    if (!before || before.hidden !== undefined) return { after: before, result: { withdrawn: false } };
    const { player, name, entry } = before;
    // Whoever has joined a tournament stays in it.
    const after = entry && { player, name, attempts: NO_ATTEMPTS, entry };
    return { after, result: { withdrawn: true } };
  });
}
