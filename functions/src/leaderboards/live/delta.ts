import { keyOf } from "../../platform/database.ts";
import type { Row } from "../contract.ts";

/** What of a player is shown. The rank is not: one who comes in would change it for all below, and apps can sort. */
export type ShownPlayer = Pick<Row, "name" | "score" | "at"> &
  Partial<Readonly<Record<"picture" | "country", string | undefined>>> & { readonly subscore?: number | undefined };

/** The first of a season, as they are in the Realtime Database. */
export interface Shown {
  readonly season: string;
  /** When this was last changed, in milliseconds since the epoch. */
  readonly updatedAt: number;
  /** By the player's id, as a key; absent if nobody is ranked. */
  readonly players?: Readonly<Record<string, ShownPlayer>> | undefined;
}

/** New values by path, null for what is removed; no path is part of another. */
export type Delta = Record<string, unknown>;

export function shownOf(season: string, rows: readonly Row[], updatedAt: number): Shown {
  const players: Record<string, ShownPlayer> = {};
  for (const { player, name, picture, country, score, subscore, at } of rows) {
    players[keyOf(player)] = defined({ name, picture, country, score, subscore, at });
  }
  return { season, updatedAt, ...(rows.length === 0 ? {} : { players }) };
}

/** What makes the one of the other, below a path: only what differs, and nothing at all if nothing does. Another season replaces all. */
export function deltaOf(path: string, before: Shown | undefined, after: Shown): Delta {
  if (before?.season !== after.season) return { [path]: after };
  const changes: Delta = {};
  const [was, is] = [before.players ?? {}, after.players ?? {}];
  for (const player of Object.keys(was)) {
    if (!Object.hasOwn(is, player)) changes[`${path}/players/${player}`] = null;
  }
  for (const [player, row] of Object.entries(is)) {
    const old = Object.hasOwn(was, player) ? was[player] : undefined;
    if (old) Object.assign(changes, changesOf(`${path}/players/${player}`, old, row));
    else changes[`${path}/players/${player}`] = row;
  }
  return Object.keys(changes).length === 0 ? {} : { ...changes, [`${path}/updatedAt`]: after.updatedAt };
}

const FIELDS = ["name", "picture", "country", "score", "subscore", "at"] as const;

function changesOf(path: string, before: ShownPlayer, after: ShownPlayer): Delta {
  const changes: Delta = {};
  for (const field of FIELDS) {
    if (before[field] !== after[field]) changes[`${path}/${field}`] = after[field] ?? null;
  }
  return changes;
}

function defined(row: ShownPlayer): ShownPlayer {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as ShownPlayer;
}
