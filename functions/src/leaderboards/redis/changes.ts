import { now } from "../../platform/clock.ts";
import type { Timestamp } from "../../platform/firestore.ts";
import { type Period, SLOTS, seasonAt } from "../periods.ts";
import type { Player, Slot, SlotName } from "../records.ts";
import type { Board } from "../settings.ts";
import { pack, packGone, versionOf } from "./packing.ts";

/** A player's document was written, or deleted. */
export interface Change {
  readonly player: string;
  /** As it was; undefined: it was not there. Where that is not known, everything is taken for changed. */
  readonly before: Player | undefined | "unknown";
  /** As it is; undefined: it is not there any more. */
  readonly after: Player | undefined;
  /** When it was written. Of one that was deleted: when it was last written, or when it was found missing. */
  readonly version: Timestamp;
}

/** What a season has to know of a change. */
export interface Entry {
  readonly period: Period;
  readonly season: string;
  readonly player: string;
  readonly packed: string;
}

/** A document that was deleted was so after its last version, and before any later one. */
const DELETED_AFTER_MICROS = 1;

/** What seasons have to know of a change: only those that it is about. */
export function entriesOf(board: Board, change: Change): Entry[] {
  const { player, before } = change;
  return board.periods.flatMap((period) => {
    const told = SLOTS[period].flatMap((name) => tellOf(board, change, name));
    const gone = before === "unknown" ? missingIn(board, period, change.after) : [];
    const all = [...told, ...gone.map((season) => ({ season, packed: goneAt(change) }))];
    return all.map((entry) => ({ ...entry, period, player }));
  });
}

/** What the season of a slot has to know. */
function tellOf(board: Board, change: Change, name: SlotName): Pick<Entry, "season" | "packed">[] {
  const { before, after, version } = change;
  const known = before === "unknown" ? undefined : before;
  const [was, is] = [known?.[name], after?.[name]];
  if (!after || !is) return was ? [{ season: was.season, packed: goneAt(change) }] : [];
  if (is === was && isSameFace(known, after)) return [];
  return [{ season: is.season, packed: pack(board, after, is, versionOf(version)) }];
}

/** What one season has to know of a player's document; undefined: nothing. */
export function entryIn(board: Board, { period, season }: Pick<Entry, "period" | "season">, change: Change) {
  const slot = slotNamed(period, season, change.after);
  return change.after && slot ? pack(board, change.after, slot, versionOf(change.version)) : undefined;
}

function slotNamed(period: Period, season: string, player: Player | undefined): Slot | undefined {
  for (const name of SLOTS[period]) {
    const slot = player?.[name];
    if (slot?.season === season) return slot;
  }
  return undefined;
}

/** The seasons, of the one that is on and the one before, in which a player has nothing. */
function missingIn(board: Board, period: Period, player: Player | undefined): string[] {
  const season = seasonAt(period, now(), board);
  const before = Number.isFinite(season.startsAt) ? [seasonAt(period, season.startsAt - 1, board).key] : [];
  return [season.key, ...before].filter((key) => slotNamed(period, key, player) === undefined);
}

/** That there is nothing of a player any more. */
export function goneAt({ version, after }: Pick<Change, "version" | "after">): string {
  return packGone(versionOf(version, after ? 0 : DELETED_AFTER_MICROS));
}

function isSameFace(one: Player | undefined, other: Player | undefined): boolean {
  return one?.name === other?.name && one?.picture === other?.picture && one?.country === other?.country;
}
