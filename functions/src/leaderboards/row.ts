import type { Row } from "./contract.ts";
import type { Player, Slot } from "./records.ts";

type Shown = Pick<Player, "name" | "picture" | "country">;
type Reached = Pick<Slot, "score" | "sub" | "at" | "metadata" | "country">;

/** A player's line on a board. */
export function rowOf(player: string, record: Shown, slot: Reached, rank: number): Row {
  const { score, sub, at, metadata } = slot;
  const country = slot.country ?? record.country;
  return {
    rank,
    player,
    name: record.name,
    ...(record.picture === undefined ? {} : { picture: record.picture }),
    ...(country === undefined ? {} : { country }),
    score,
    ...(sub === undefined ? {} : { subscore: sub }),
    at: at.toMillis(),
    ...(metadata === undefined ? {} : { metadata }),
  };
}
