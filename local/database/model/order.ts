/**
 * The order of keys and values.
 * Source: https://firebase.google.com/docs/database/web/lists-of-data#data-order
 */

/** Stand before and after every key in the bounds of queries; no key of data can be spelled like them. */
export const MIN_KEY = "[MIN_NAME]";
export const MAX_KEY = "[MAX_NAME]";

/** What a child is sorted by: a leaf, null where there is none, `OBJECT` where there is one with children. */
export type SortValue = string | number | boolean | null | typeof OBJECT;
export const OBJECT = Symbol("object");

/** Where a child stands in an index. */
export interface Position {
  readonly value: SortValue;
  readonly key: string;
}

const INTEGER = /^-?0*\d{1,10}$/;
const MIN_INTEGER = -(2 ** 31);
const MAX_INTEGER = 2 ** 31 - 1;

/** Keys that are 32-bit integers come first, by number; then all others by their UTF-16 code units. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  if (a === MIN_KEY || b === MAX_KEY) return -1;
  if (b === MIN_KEY || a === MAX_KEY) return 1;
  const [first, second] = [integerOf(a), integerOf(b)];
  if (first === undefined && second === undefined) return a < b ? -1 : 1;
  if (first === undefined) return 1;
  if (second === undefined) return -1;
  return first - second || a.length - b.length || (a < b ? -1 : 1);
}

function integerOf(key: string): number | undefined {
  const first = key.charCodeAt(0);
  const mayBeInteger = first === 0x2d || (first >= 0x30 && first <= 0x39);
  if (!mayBeInteger || !INTEGER.test(key)) return undefined;
  const value = Number(key);
  return value >= MIN_INTEGER && value <= MAX_INTEGER ? value : undefined;
}

/** Nothing, false, true, numbers, strings, objects; objects are equal to each other. */
export function compareValues(a: SortValue, b: SortValue): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0 || a === b) return difference;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : 1;
  return a === false ? -1 : 1;
}

function rank(value: SortValue): number {
  if (value === null) return 0;
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
      return 2;
    case "string":
      return 3;
    default:
      return 4;
  }
}

/** By value, then by key. */
export function comparePositions(a: Position, b: Position): number {
  return compareValues(a.value, b.value) || compareKeys(a.key, b.key);
}
