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
/** By character code. */
const VALUES = Array.from({ length: 128 }, (_, code) => Math.max(0, DIGITS.indexOf(String.fromCharCode(code))));
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
  if (isGone(packed)) return undefined;
  const fields = split(packed);
  const [face = []] = readFaces([fields.face]);
  const { rank: _, ...row } = rowOf(board, { player, rank: 0 }, fields, face);
  const { country, group } = fields;
  return {
    isRanked: packed[STATE_AT] === "r",
    country: country === "" ? undefined : country,
    group: group === "" ? undefined : group,
    row,
  };
}

/** Players who follow each other, without those who are not there any more. @param rank of the first */
export function unpackRows(board: Ordering, ids: readonly string[], texts: readonly string[], rank: number): Row[] {
  const there = texts.flatMap((packed, i) => (isGone(packed) ? [] : { player: ids[i] ?? "", fields: split(packed) }));
  const faces = readFaces(there.map(({ fields }) => fields.face));
  return there.map(({ player, fields }, i) => rowOf(board, { player, rank: rank + i }, fields, faces[i] ?? []));
}

function isGone(packed: string): boolean {
  return packed[STATE_AT] === "x";
}

/** Name, picture, country, metadata; what is not there is 0 or left out. */
type Face = readonly unknown[];

/** All in one go: to begin with a JSON is dearer than a face. */
function readFaces(faces: readonly string[]): Face[] {
  return JSON.parse(`[[${faces.join("],[")}]]`) as Face[];
}

interface Line {
  readonly player: string;
  readonly rank: number;
}

function rowOf(board: Ordering, { player, rank }: Line, { place, score, country }: Fields, face: Face): Row {
  const [name, picture, shown, metadata] = face;
  const visible = typeof shown === "string" ? shown : country;
  const { sub, at } = readTie(board, place);
  const row: Row = { rank, player, name: String(name), score: rankScore(board, Number(score)), at };
  if (typeof picture === "string") row.picture = picture;
  if (visible !== "") row.country = visible;
  if (sub !== undefined) row.subscore = sub;
  if (typeof metadata === "object") row.metadata = metadata as NonNullable<Row["metadata"]>;
  return row;
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

interface Fields {
  readonly place: string;
  readonly score: string;
  readonly country: string;
  readonly group: string;
  readonly face: string;
}

/** The four short fields and the rest, in which anything may stand. */
function split(packed: string): Fields {
  const score = packed.indexOf("|", STATE_AT) + 1;
  const country = packed.indexOf("|", score) + 1;
  const group = packed.indexOf("|", country) + 1;
  const face = packed.indexOf("|", group) + 1;
  return {
    place: packed.slice(STATE_AT + 1, score - 1),
    score: packed.slice(score, country - 1),
    country: packed.slice(country, group - 1),
    group: packed.slice(group, face - 1),
    face: packed.slice(face),
  };
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
  for (let i = 0; i < text.length; i++) value = value * 2 ** BITS + (VALUES[text.charCodeAt(i)] ?? 0);
  return value;
}
