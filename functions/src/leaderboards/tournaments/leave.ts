import type * as z from "zod";
import { prepareAll, readReversal } from "../../ledger/index.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { isAlreadyExists, type Transaction, transact } from "../../platform/firestore.ts";
import { putBack, readShards } from "../../platform/stock.ts";
import { boardOf } from "../board.ts";
import { type Player, players } from "../records.ts";
import type { LeaveRequest, Left } from "./contract.ts";
import { isIn } from "./entered.ts";
import { noTournament } from "./join.ts";
import { placesOf } from "./places.ts";

/**
 * Has the caller leave a tournament that has not begun: they have the fee again, and somebody else the place. A read for the player, the
 * fee's transaction, the account and a part of the places; a write for these and a transaction. Refuses `unknown-board`, `tournament-begun`.
 */
export async function leave(caller: Caller, { board: id }: z.output<typeof LeaveRequest>): Promise<Left> {
  const { tournament } = await boardOf(id);
  if (!tournament) throw noTournament();
  if (now() >= tournament.startsAt) {
    throw new Failure("failed-precondition", "The tournament has begun.", { reason: "tournament-begun" });
  }
  const refunded = await once(() => transact((tx) => refund(tx, id, caller.uid)));
  return { left: refunded !== undefined, refunded: refunded ?? 0 };
}

/** Gives a player their fee back, once; for a tournament that nobody has played. Answers with the fee. */
export function giveBack(board: string, user: string): Promise<number | undefined> {
  return once(() => transact((tx) => refund(tx, board, user)));
}

/** Undefined if the player is not in the tournament, or not any more. */
async function refund(tx: Transaction, board: string, user: string): Promise<number | undefined> {
  const reference = players(board).doc(user);
  const player = (await tx.get(reference)).data();
  const { entry, ...rest } = player ?? {};
  if (!player || !entry || !isIn(player)) return undefined;
  const { times, paid = 0, transaction, picked = {} } = entry;
  const path = placesOf(board);
  const places = await readShards(tx, path, picked);
  const back = transaction === undefined ? undefined : await readReversal(tx, reversalOf(board, transaction));
  const isOpen = back !== undefined && back.reversedBy === undefined;
  const moves = await prepareAll(tx, isOpen ? [{ ...back.request, pastMaximum: true }] : []);
  moves.write();
  if (isOpen) back.mark();
  putBack(tx, path, picked, places);
  tx.set(reference, { ...(rest as Omit<Player, "entry">), entry: { times } });
  return paid;
}

function reversalOf(board: string, transaction: string) {
  return { transaction, kind: "refund" as const, reference: `leaderboard:${board}` };
}

async function once<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    // Our own commit may have landed without our hearing of it.
    if (!isAlreadyExists(error)) throw error;
    return await attempt();
  }
}
