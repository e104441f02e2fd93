import { randomUUID } from "node:crypto";
import type { Transaction } from "../../platform/firestore.ts";
import { NO_ATTEMPTS } from "../attempts.ts";
import { type Player, players } from "../records.ts";
import { nextToClose } from "../seasons/due.ts";
import type { Board } from "../settings.ts";

/** A player of a tournament who is about to be deleted. */
interface Leaving {
  readonly id: string;
  readonly board: Board;
  readonly player: Player;
}

/**
 * Keeps the fee of a player who was erased in the pool that others play for, as part of the transaction that deletes the player: in a document
 * whose id is random, so that it leads to nobody. The fee's transaction is in the ledger. Up to one write.
 */
export function keepFee(tx: Transaction, { id, board, player }: Leaving): void {
  const { times = 1, paid = 0 } = player.entry ?? {};
  if (paid === 0 || !board.tournament || !nextToClose(board, "custom")) return;
  tx.create(players(id).doc(`erased-${randomUUID()}`), {
    player: "",
    name: "",
    attempts: NO_ATTEMPTS,
    entry: { times, paid },
  });
}
