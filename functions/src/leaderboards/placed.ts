import { reachedIn, withOrders } from "./enter.ts";
import { isRanked } from "./policy.ts";
import { type Board, type Player, SLOT_NAMES, type Slot, type SlotName } from "./records.ts";

/** A player's document with a place in all that it has scores of; with none if the player is hidden. */
export function placed(board: Board, player: Player, id: string): Player {
  const slots: Partial<Record<SlotName, Slot>> = {};
  for (const name of SLOT_NAMES) {
    const slot = player[name];
    if (!slot) continue;
    const { order: _, countryOrder: _c, groupOrder: _g, ...bare } = slot;
    const isShown = player.hidden === undefined && isRanked(board, reachedIn(slot));
    slots[name] = isShown ? withOrders(board, bare, id) : bare;
  }
  return { ...player, ...slots };
}
