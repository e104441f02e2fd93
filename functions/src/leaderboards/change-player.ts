import { Failure } from "../platform/failure.ts";
import { type DocumentSnapshot, Timestamp, type Transaction, transact } from "../platform/firestore.ts";
import { announceChange } from "./live/announce.ts";
import { forgetPlayer } from "./memory.ts";
import { type Player, players } from "./records.ts";
import type { Change } from "./redis/changes.ts";
import { announce, follow } from "./redis/follow.ts";
import type { Board } from "./settings.ts";

/** Whose document on which board. */
export interface Where {
  /** Of the board. */
  readonly id: string;
  readonly board: Board;
  readonly player: string;
}

/** What becomes of a player's document: undefined, it is deleted; the one before, it stays. */
export interface Changed<Result> {
  readonly after: Player | undefined;
  readonly result: Result;
}

/**
 * Changes a player's document in a transaction, and has Redis and the live boards follow; for everything but plain submissions, which are written together. A
 * read, and a write or a delete if something changes.
 */
export async function changePlayer<Result>(
  { id, board, player }: Where,
  judge: (tx: Transaction, before: Player | undefined) => Promise<Changed<Result>>,
): Promise<Result> {
  const reference = players(id).doc(player);
  const announced = announce(id, [player]);
  const changing = transact(async (tx) => {
    const snapshot = await tx.get(reference);
    const before = snapshot.data();
    const { after, result: made } = await judge(tx, before);
    if (after === before) return { result: made };
    if (after) tx.set(reference, after);
    else tx.delete(reference);
    const changed: Change = { player, before, after, version: versionAfter(snapshot) };
    return { result: made, change: changed };
  });
  const { result, change } = await changing.catch(async (error: unknown) => {
    // Who was refused has not been written; of others nobody knows, so that they are looked at again.
    if (error instanceof Failure) await follow(id, board, [], announced);
    throw error;
  });
  if (change) forgetPlayer(reference.path);
  await follow(id, board, change ? [change] : [], announced);
  const shown = change?.after ?? change?.before;
  if (shown && shown !== "unknown") await announceChange({ id, board, player: shown });
  return result;
}

/** A time between when a document was written, as it was read under lock, and when it is written next. */
function versionAfter({ updateTime, readTime }: DocumentSnapshot): Timestamp {
  const { seconds, nanoseconds } = updateTime ?? readTime;
  return nanoseconds < 999_999_000 ? new Timestamp(seconds, nanoseconds + 1_000) : new Timestamp(seconds + 1, 0);
}
