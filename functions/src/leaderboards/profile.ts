import { currentProfileOf, type Profile } from "../identity/index.ts";
import { boardOf } from "./board.ts";
import { changePlayer } from "./change-player.ts";
import { sortedAnew } from "./enter.ts";
import { faceIn } from "./face.ts";
import type { Player } from "./records.ts";
import type { Board } from "./settings.ts";
import { keepFee } from "./tournaments/keep-fee.ts";

/** A player of a board. */
interface PlayerName {
  readonly board: string;
  readonly player: string;
}

/**
 * Has a board show a player as their profile is now, and rank them or not as it says. Who has none stays as they are; again it changes
 * nothing. Bill: 3 reads, and a write if they look different.
 */
export async function showOnBoard({ board: id, player: user }: PlayerName): Promise<void> {
  const board = await boardOf(id);
  await changePlayer({ id, board, player: user }, async (tx, player) => {
    const profile = await currentProfileOf(user, tx);
    return { after: player && profile ? shownAs(board, player, profile) : player, result: undefined };
  });
}

/** Takes a player who was erased off a board. Bill: a read and a delete, and a write for a fee that others play for. */
export async function takeOffBoard({ board: id, player: user }: PlayerName): Promise<void> {
  const board = await boardOf(id);
  await changePlayer({ id, board, player: user }, async (tx, player) => {
    if (player) keepFee(tx, { id, board, player });
    return { after: undefined, result: undefined };
  });
}

function shownAs(board: Board, player: Player, profile: Profile): Player {
  const { name: _, picture: __, country: ___, group: ____, hidden, ...rest } = player;
  const face = faceIn(profile);
  // Whoever was taken off a board by an operator stays off it, whatever else becomes of them.
  const kept = hidden === "disqualified" ? { hidden } : {};
  const next: Player = { ...rest, ...face, ...kept };
  const isSame = (["name", "picture", "country", "group", "hidden"] as const).every((one) => next[one] === player[one]);
  if (isSame) return player;
  return next.hidden === hidden ? next : sortedAnew(board, next);
}
