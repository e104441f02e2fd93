import { groupNamesOf, profileOf } from "../identity/index.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { checkNotBanned } from "./enter.ts";
import type { Board } from "./settings.ts";

/**
 * Whose the scores are that a caller submits: their own, or on boards of groups those of the group that they are in, by its id and name. Where
 * scores are a player's no reads; else what a profile and a group's name cost in a while. Refuses `not-in-a-group`.
 */
export async function ownerOf({ owner }: Pick<Board, "owner">, caller: Caller): Promise<Caller> {
  if (owner === "player") return caller;
  const group = (await profileOf(caller.uid))?.group;
  const name = group && (await groupNamesOf([group])).get(group);
  if (group && name) return { uid: group, name };
  throw new Failure("failed-precondition", "On this board groups play; join one first.", { reason: "not-in-a-group" });
}

/** {@link ownerOf}, for who submits. A group goes on without a member who is banned. Refuses `not-in-a-group`, `user-banned`. */
export async function submitterOf(board: Pick<Board, "owner">, caller: Caller): Promise<Caller> {
  const owner = await ownerOf(board, caller);
  const state = board.owner === "group" ? (await profileOf(caller.uid))?.state : undefined;
  if (state === "banned") checkNotBanned({ hidden: state });
  return owner;
}
