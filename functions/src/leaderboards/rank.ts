import { type CollectionReference, Filter } from "../platform/firestore.ts";
import { type Player, players, type SlotName } from "./records.ts";

/**
 * The order of a season's players as one string: better scores first, of equal scores the earlier, of equal times the smaller id. One
 * indexed field then serves pages, ranks and neighbours, each by a range of it.
 */
export function orderOf(season: string, { score, at, player }: { score: number; at: number; player: string }): string {
  return `${season}|${fixedHex(BigInt(Number.MAX_SAFE_INTEGER) - BigInt(score), 14)}|${fixedHex(BigInt(at), 12)}|${player}`;
}

/** Where the players of a season begin and end in the order. */
export function seasonRange(season: string): { first: string; last: string } {
  return { first: `${season}|`, last: `${season}}` };
}

/** The players of a season by rank: all, or only those in front of or behind a place in the order. */
export function ranked(board: string, slot: SlotName, range: { from: string; to: string }): CollectionQuery {
  const field = `${slot}.order`;
  return players(board).where(Filter.and(Filter.where(field, ">", range.from), Filter.where(field, "<", range.to)));
}

type CollectionQuery = ReturnType<CollectionReference<Player>["where"]>;

export async function countRanked(board: string, slot: SlotName, range: { from: string; to: string }): Promise<number> {
  return (await ranked(board, slot, range).count().get()).data().count;
}

function fixedHex(value: bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
