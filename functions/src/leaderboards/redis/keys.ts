import { redisKey } from "../../platform/redis.ts";
import type { Period } from "../periods.ts";
import type { Scope } from "../place.ts";
import type { Board } from "../settings.ts";

/** Where Redis keeps a season: all its keys on one node of a Cluster, different periods of a board perhaps on different ones. */
export interface SeasonKeys {
  /** HASH: whether the season is `ready` or `building`, and how many there are of all that is kept, by which a loss is seen. */
  readonly state: string;
  /** HASH: what is known of each player, packed; see `packing.ts`. */
  readonly players: string;
  /** ZSET: everybody who is ranked. Those of a scope lie below `{this}{suffix}`. */
  readonly ranked: string;
}

/** One season of one board. */
export interface SeasonOf {
  readonly id: string;
  readonly board: Pick<Board, "order" | "subscore">;
  readonly period: Period;
  readonly season: string;
}

/** A board that sorts otherwise than before has other keys, so that it is built anew. */
export function keysOf({ id, board, period, season }: SeasonOf): SeasonKeys {
  const base = redisKey(`lb:{${id}:${period}}:${season}:${board.order[0]}${board.subscore[0]}`);
  return { state: `${base}:n`, players: `${base}:p`, ranked: `${base}:z` };
}

/** All three, in the order in which the scripts take them. */
export function keyList({ state, players, ranked }: SeasonKeys): [string, string, string] {
  return [state, players, ranked];
}

/** What the key of a scope has behind that of everybody. */
export function suffixOf(scope: Scope): string {
  if (scope.kind === "global") return "";
  return scope.kind === "country" ? `:c:${scope.id}` : `:g:${scope.id}`;
}

/** ZSET of a board: updates that are under way, by when they began. */
export function pendingKey(id: string): string {
  return redisKey(`lb:{${id}}:pending`);
}
