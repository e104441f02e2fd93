import * as z from "zod";
import { currentProfileOf, type Profile } from "../identity/index.ts";
import { firestore } from "../platform/firestore.ts";
import { boardOf } from "./board.ts";
import { changePlayer } from "./change-player.ts";
import { sortedAnew } from "./enter.ts";
import { faceIn } from "./face.ts";
import type { Player } from "./records.ts";
import type { Board } from "./settings.ts";

/** Boards on which one player is. */
const MAX_BOARDS = 500;

const Told = z.object({ user: z.string() });

/**
 * A profile was changed: the player is shown so on all boards, and ranked or not as it says. What the profile is now counts, not what it
 * was then; told again it changes nothing. Bill: 2 reads, 2 for each board that the player is on, and a write for each that changes.
 */
export async function profileChanged(data: unknown): Promise<void> {
  const { user } = Told.parse(data);
  const profile = await currentProfileOf(user);
  if (!profile) return;
  for (const id of await boardsOf(user)) {
    const board = await boardOf(id);
    await changePlayer({ id, board, player: user }, async (_tx, player) => ({
      after: player && shownAs(board, player, profile),
      result: undefined,
    }));
  }
}

/** A user was erased: they are on no board any more. Bill: 2 reads and a delete for each. */
export async function userErased(data: unknown): Promise<void> {
  const { user } = Told.parse(data);
  for (const id of await boardsOf(user)) {
    const gone = async () => ({ after: undefined, result: undefined });
    await changePlayer({ id, board: await boardOf(id), player: user }, gone);
  }
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

/** The ids of the boards that a player is on. A read for each. */
async function boardsOf(user: string): Promise<string[]> {
  const { docs } = await firestore().collectionGroup("players").where("player", "==", user).limit(MAX_BOARDS).get();
  return docs.flatMap(({ ref }) => (ref.parent.parent ? [ref.parent.parent.id] : []));
}
