import type { Row } from "./contract.ts";
import type { Player, SlotName } from "./records.ts";

/** A player's line on a board. */
export function rowOf(player: string, record: Player, slot: SlotName, rank: number): Row {
  const { score, at } = slotIn(record, slot);
  return {
    rank,
    player,
    name: record.name,
    ...(record.picture === undefined ? {} : { picture: record.picture }),
    score,
    at: at.toMillis(),
  };
}

export function slotIn(record: Player, slot: SlotName): NonNullable<Player[SlotName]> {
  const found = record[slot];
  if (!found) throw new Error(`a player without a score was found by ${slot}`);
  return found;
}
