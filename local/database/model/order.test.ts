import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareKeys, comparePositions, compareValues, MAX_KEY, MIN_KEY, OBJECT, type SortValue } from "./order.ts";

const KEYS = [
  MIN_KEY,
  "-2147483648",
  "-1",
  "0",
  "00",
  "1",
  "01",
  "2",
  "10",
  "2147483647",
  "-",
  "-a",
  "10x",
  "2147483648",
];
const KEYS_BEHIND = ["A", "a", "a0", "b", "é", "🦊", "\uffee", MAX_KEY];
const VALUES: readonly SortValue[] = [
  null,
  false,
  true,
  -1e300,
  -1,
  0,
  0.5,
  2,
  10,
  "",
  "1",
  "10",
  "2",
  "a",
  "b",
  OBJECT,
];

function expectAscending<T>(items: readonly T[], compare: (a: T, b: T) => number): void {
  for (const [i, a] of items.entries()) {
    for (const [j, b] of items.entries()) {
      expect(Math.sign(compare(a, b)), `${String(a)} against ${String(b)}`).toBe(Math.sign(i - j));
    }
  }
}

describe("the order of keys", () => {
  test("puts 32-bit integers first, by number, and the rest by UTF-16 code units", () => {
    expectAscending([...KEYS, ...KEYS_BEHIND], compareKeys);
  });

  test("is total: different keys are never equal, and it does not go in circles", () => {
    const key = fc.oneof(
      fc.integer({ min: -3, max: 3 }).map(String),
      fc.stringMatching(/^-?0{0,2}[0-2]{0,2}a?$/),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(key, key, key, (a, b, c) => {
        expect(compareKeys(a, b) === 0).toBe(a === b);
        expect(Math.sign(compareKeys(a, b)) + Math.sign(compareKeys(b, a))).toBe(0);
        if (compareKeys(a, b) < 0 && compareKeys(b, c) < 0) expect(compareKeys(a, c)).toBeLessThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the order of values", () => {
  test("is nothing, false, true, numbers, strings, objects", () => {
    expectAscending(VALUES, compareValues);
  });

  test("leaves it to the keys where values are equal", () => {
    expect(comparePositions({ value: 1, key: "9" }, { value: 1, key: "10" })).toBeLessThan(0);
    expect(comparePositions({ value: OBJECT, key: "b" }, { value: OBJECT, key: "a" })).toBeGreaterThan(0);
    expect(comparePositions({ value: 2, key: "a" }, { value: 1, key: "b" })).toBeGreaterThan(0);
  });
});
