import type { Board } from "./settings.ts";

/** A score as it is ranked. */
export interface Scored {
  readonly score: number;
  readonly sub?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** All, the players of a country, or those of a group. */
export type Scope = { readonly kind: "global" } | { readonly kind: "country" | "group"; readonly id: string };

export const GLOBAL: Scope = { kind: "global" };

/** A scope as text: `global`, `country:DE`, `group:pirates`. */
export function nameOf(scope: Scope): string {
  return scope.kind === "global" ? scope.kind : `${scope.kind}:${scope.id}`;
}

/** What of a slot sorts the players of a scope. */
export const ORDER_FIELD = { global: "order", country: "countryOrder", group: "groupOrder" } as const;

const SCORE_DIGITS = 14;
const TIME_DIGITS = 12;

type Ordering = Pick<Board, "order" | "subscore">;

/**
 * The place of a score as a string that sorts as ranks do: better scores first, of equal ones the better subscore, then the earlier. With
 * the player behind it no two are equal.
 */
export function placeOf({ order, subscore }: Ordering, { score, sub = 0, at }: Scored): string {
  const second = subscore === "none" ? "" : `${turned(sub, subscore)}|`;
  return `${turned(score, order)}|${second}${fixedHex(at, TIME_DIGITS)}`;
}

/** What sorts the players of a season in one scope: one indexed field serves its pages, ranks and neighbours, each by a range of it. */
export function orderOf(of: { season: string; scope: Scope; place: string; player: string }): string {
  return `${prefixOf(of)}${of.place}|${of.player}`;
}

/** Where the players of a season begin and end in the order of a scope. */
export function rangeOf(of: { season: string; scope: Scope }): { first: string; last: string } {
  const prefix = prefixOf(of);
  return { first: prefix, last: `${prefix.slice(0, -1)}}` };
}

/** Less than 0 if the first is ranked before the second. */
export function compareScored(board: Ordering, a: Scored, b: Scored): number {
  const [one, other] = [placeOf(board, a), placeOf(board, b)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** What an order string says of the score that it sorts, and whose it is; undefined if it is none of this season and scope. */
export function readOrder(
  { order, subscore }: Ordering,
  of: { season: string; scope: Scope; text: string },
): (Scored & { player: string }) | undefined {
  const prefix = prefixOf(of);
  const found = of.text.startsWith(prefix) ? WRITTEN.exec(of.text.slice(prefix.length)) : null;
  if (!found) return undefined;
  const [, score = "", sub, at = "", player = ""] = found;
  if ((sub === undefined) === (subscore !== "none")) return undefined;
  return {
    score: turnedBack(score, order),
    ...(sub === undefined || subscore === "none" ? {} : { sub: turnedBack(sub, subscore) }),
    at: Number.parseInt(at, 16),
    player,
  };
}

const WRITTEN = /^([0-9a-f]{14})\|(?:([0-9a-f]{14})\|)?([0-9a-f]{12})\|(.+)$/s;

function turnedBack(hex: string, order: "descending" | "ascending"): number {
  const value = Number(BigInt(`0x${hex}`) - BigInt(Number.MAX_SAFE_INTEGER));
  return order === "descending" ? 0 - value : value;
}

/** What the order strings of a season and a scope begin with. */
export function prefixOf({ season, scope }: { season: string; scope: Scope }): string {
  return scope.kind === "global" ? `${season}|` : `${season}|${scope.id}|`;
}

/** Any safe integer, so that the better is the smaller text. */
function turned(value: number, order: "descending" | "ascending"): string {
  const offset = order === "descending" ? Number.MAX_SAFE_INTEGER - value : value - Number.MIN_SAFE_INTEGER;
  return Number.isSafeInteger(offset) ? fixedHex(offset, SCORE_DIGITS) : fixedHex(wide(value, order), SCORE_DIGITS);
}

function wide(value: number, order: "descending" | "ascending"): bigint {
  const number = BigInt(value);
  return order === "descending" ? BigInt(Number.MAX_SAFE_INTEGER) - number : number - BigInt(Number.MIN_SAFE_INTEGER);
}

function fixedHex(value: number | bigint, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
