import type { Timestamp } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import type { Scored } from "../place.ts";
import type { Player, Slot } from "../records.ts";
import type { Board } from "../settings.ts";

/**
 * What Redis knows of a player in a season, as one text:
 *
 *     {version}{state}{place}|{rank score}|{country}|{group}|{face}
 *
 * Version: when the document was written, microseconds in base 36. State: `r` ranked, `u` not ranked, `x` not there any more, and then
 * nothing follows. Place: what sorts equal scores, subscore and time in as few bytes as sort; with the player behind it, it is the member
 * of the sorted sets. Rank score: the lower, the better. Face: JSON without its brackets.
 */
const VERSION_DIGITS = 10;
const STATE_AT = VERSION_DIGITS;
/** Digits that sort by their bytes. */
const DIGITS = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const BITS = 6;
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));
/** 42 bits of milliseconds: until the year 2109. */
const TIME_DIGITS = 7;
/** The upper 24 and the lower 30 bits of any safe integer. */
const HIGH_DIGITS = 4;
const LOW_DIGITS = 5;
const LOW = 2 ** 30;
const HIGH_OFFSET = 2 ** 23;

type Ordering = Pick<Board, "order" | "subscore">;

/** A row without its rank, and whether it has one. */
export interface Unpacked {
  readonly isRanked: boolean;
  readonly country: string | undefined;
  readonly group: string | undefined;
  readonly row: Omit<Row, "rank">;
}

/** How many characters of a member come before the player. */
export function placeWidth({ subscore }: Pick<Board, "subscore">): number {
  return TIME_DIGITS + (subscore === "none" ? 0 : HIGH_DIGITS + LOW_DIGITS);
}

/** What Redis sorts by, low before high: exact, since scores are safe integers. */
export function rankScore({ order }: Pick<Board, "order">, score: number): number {
  return order === "ascending" ? score : 0 - score;
}

/** What sorts equal scores. */
export function tieOf({ subscore }: Pick<Board, "subscore">, { sub = 0, at }: Omit<Scored, "score">): string {
  const time = digits(at, TIME_DIGITS);
  if (subscore === "none") return time;
  const turned = subscore === "descending" ? 0 - sub : sub;
  const high = Math.floor(turned / LOW);
  return digits(high + HIGH_OFFSET, HIGH_DIGITS) + digits(turned - high * LOW, LOW_DIGITS) + time;
}

/** A player with a score in a season. */
export function pack(board: Ordering, player: Player, slot: Slot, version: string): string {
  const { score, sub, at, order, countryOrder, groupOrder } = slot;
  const place = tieOf(board, { sub, at: at.toMillis() });
  const country = countryOrder === undefined ? "" : (slot.country ?? "");
  const group = groupOrder === undefined ? "" : (slot.group ?? "");
  const state = order === undefined ? "u" : "r";
  return `${version}${state}${place}|${rankScore(board, score)}|${country}|${group}|${faceOf(player, slot, country)}`;
}

/** Somebody who has no score in the season any more; stays so that nothing older brings them back. */
export function packGone(version: string): string {
  return `${version}x`;
}

function faceOf({ name, picture, country }: Player, slot: Slot, packed: string): string {
  const shown = slot.country ?? country;
  const face: unknown[] = [name, picture ?? 0, shown === packed ? 0 : (shown ?? 0), slot.metadata ?? 0];
  while (face.at(-1) === 0) face.pop();
  return JSON.stringify(face).slice(1, -1);
}

/** Undefined for who is not there any more. */
export function unpack(board: Ordering, player: string, packed: string): Unpacked | undefined {
  if (packed[STATE_AT] === "x") return undefined;
  const [place, score, country, group, face] = split(packed.slice(STATE_AT + 1));
  const [name, picture, shown, metadata] = JSON.parse(`[${face}]`) as [string, ...unknown[]];
  const visible = typeof shown === "string" ? shown : country;
  const { sub, at } = readTie(board, place);
  return {
    isRanked: packed[STATE_AT] === "r",
    country: country === "" ? undefined : country,
    group: group === "" ? undefined : group,
    row: {
      player,
      name,
      ...(typeof picture === "string" ? { picture } : {}),
      ...(visible === "" ? {} : { country: visible }),
      score: rankScore(board, Number(score)),
      ...(sub === undefined ? {} : { subscore: sub }),
      at,
      ...(typeof metadata === "object" ? { metadata: metadata as NonNullable<Row["metadata"]> } : {}),
    },
  };
}

/** When what is packed was written, in microseconds since the epoch. */
export function versionIn(packed: string): number {
  return Number.parseInt(packed.slice(0, VERSION_DIGITS), 36);
}

/** What does not change with the version. */
export function withoutVersion(packed: string): string {
  return packed.slice(VERSION_DIGITS);
}

/** When a document was written, as what sorts by its bytes. @param later microseconds to be added */
export function versionOf({ seconds, nanoseconds }: Timestamp, later = 0): string {
  const micros = seconds * 1_000_000 + Math.floor(nanoseconds / 1_000) + later;
  return micros.toString(36).padStart(VERSION_DIGITS, "0");
}

/** The four short fields and the rest, in which anything may stand. */
function split(text: string): [string, string, string, string, string] {
  const fields: [string, string, string, string, string] = ["", "", "", "", ""];
  let from = 0;
  for (const i of [0, 1, 2, 3] as const) {
    const end = text.indexOf("|", from);
    fields[i] = text.slice(from, end);
    from = end + 1;
  }
  fields[4] = text.slice(from);
  return fields;
}

function readTie({ subscore }: Pick<Board, "subscore">, place: string): { sub?: number; at: number } {
  const at = number(place.slice(-TIME_DIGITS));
  if (subscore === "none") return { at };
  const high = number(place.slice(0, HIGH_DIGITS)) - HIGH_OFFSET;
  const turned = high * LOW + number(place.slice(HIGH_DIGITS, HIGH_DIGITS + LOW_DIGITS));
  return { sub: subscore === "descending" ? 0 - turned : turned, at };
}

function digits(value: number, width: number): string {
  let text = "";
  let left = value;
  for (let i = 0; i < width; i++) {
    text = (DIGITS[left % 2 ** BITS] ?? "-") + text;
    left = Math.floor(left / 2 ** BITS);
  }
  return text;
}

function number(text: string): number {
  let value = 0;
  for (const digit of text) value = value * 2 ** BITS + (VALUES.get(digit) ?? 0);
  return value;
}
