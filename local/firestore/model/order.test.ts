import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  after,
  before,
  compareStrings,
  compareValues,
  equalValues,
  idKey,
  KeyWriter,
  keyOf,
  pathKey,
} from "./order.ts";
import { type Fields, GeoPoint, Reference, Timestamp, type Value } from "./value.ts";

const map = (entries: Record<string, Value>): Fields => new Map(Object.entries(entries));
const bytes = (...values: number[]) => Uint8Array.from(values);
const reference = (path: string) => new Reference(`projects/p/databases/d/documents/${path}`);
const vector = (...components: number[]) => map({ __type__: "__vector__", value: components });

/** Each value is smaller than the one below it. Worked out by hand from the documented order of types and values. */
const ASCENDING: readonly Value[] = [
  null,
  false,
  true,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  -Number.MAX_VALUE,
  -(2n ** 63n),
  -(2n ** 53n) - 1n,
  -(2 ** 53),
  -1n,
  -Number.MIN_VALUE,
  0n,
  Number.MIN_VALUE,
  0.1,
  1n,
  1.5,
  2n,
  2 ** 53,
  2n ** 53n + 1n,
  2n ** 53n + 2n,
  2n ** 63n - 1n,
  2 ** 63,
  Number.POSITIVE_INFINITY,
  new Timestamp(-1, 999_999_000),
  new Timestamp(0, 0),
  new Timestamp(0, 1_000),
  new Timestamp(1_700_000_000, 0),
  "",
  "\u0000",
  "a",
  "a\u0000",
  "a\u0001",
  "aa",
  "b",
  "é",
  "\uffee",
  "🦊",
  bytes(),
  bytes(0),
  bytes(0, 0),
  bytes(0, 1),
  bytes(1),
  bytes(255),
  reference("a/b"),
  reference("a/b/c/d"),
  reference("a/c"),
  reference("b/__id-7__"),
  reference("b/__id3__"),
  reference("b/__id10__"),
  reference("b/!"),
  new GeoPoint(-90, 180),
  new GeoPoint(0, -1),
  new GeoPoint(0, 0),
  new GeoPoint(0, 1),
  [],
  [null],
  [1n],
  [1n, null],
  [1n, 2n],
  ["a"],
  ["a", "b"],
  ["b"],
  vector(100),
  vector(1, 2),
  vector(1, 3),
  vector(0, 0, 0),
  map({}),
  map({ a: 1n }),
  map({ a: 1n, b: 1n }),
  map({ a: 1n, c: 0n }),
  map({ a: 2n }),
  map({ b: 0n }),
];

describe("the order of values", () => {
  test("is Firestore's, across and within types", () => {
    for (const [i, a] of ASCENDING.entries()) {
      for (const [j, b] of ASCENDING.entries()) {
        expect(Math.sign(compareValues(a, b)), `${String(a)} (${i}) against ${String(b)} (${j})`).toBe(
          Math.sign(i - j),
        );
      }
    }
  });

  test("counts an integer and a double of the same value as equal, and zeros whatever their sign", () => {
    expect(equalValues(3n, 3)).toBe(true);
    expect(equalValues(0, -0)).toBe(true);
    expect(equalValues(Number.NaN, Number.NaN)).toBe(true);
    expect(equalValues(2n ** 53n + 1n, 2 ** 53)).toBe(false);
    expect(equalValues([1n, "a"], [1, "a"])).toBe(true);
    expect(
      equalValues(
        map({ a: 1n, b: 2n }),
        new Map<string, Value>([
          ["b", 2n],
          ["a", 1n],
        ]),
      ),
    ).toBe(true);
    expect(equalValues("1", 1n)).toBe(false);
  });

  test("compares integers with doubles as numbers, however large", () => {
    const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        expect(Math.sign(compareValues(a, b))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
    fc.assert(
      fc.property(integer, fc.double({ noNaN: true, noDefaultInfinity: true }), (a, b) => {
        const exact = a < b ? -1 : a > b ? 1 : 0;
        expect(Math.sign(compareValues(a, b)), `${a} against ${b}`).toBe(exact);
      }),
    );
  });

  test("compares strings by their UTF-8 bytes", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const order = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(Math.sign(compareValues(a, b))).toBe(order);
        expect(Math.sign(compareStrings(a, b))).toBe(order);
      }),
    );
  });
});

const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Value>(...ASCENDING),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double(),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.uint8Array({ maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie("value"), { maxKeys: 3 }).map(map),
  ),
})).value;

describe("sort keys", () => {
  test("of several values compare like the values one after the other, each in its direction", () => {
    const tuple = fc.array(anyValue, { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(tuple, tuple, fc.tuple(fc.boolean(), fc.boolean()), (a, b, descending) => {
        const joined = (values: readonly Value[]) => {
          const writer = new KeyWriter();
          for (const [i, value] of values.entries()) writer.directed(value, descending[i] as boolean);
          return writer.key();
        };
        const first = compareValues(a[0] as Value, b[0] as Value) * (descending[0] ? -1 : 1);
        const second = compareValues(a[1] as Value, b[1] as Value) * (descending[1] ? -1 : 1);
        const expected = Math.sign(first) || Math.sign(second);
        const [x, y] = [joined(a), joined(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(expected || 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("leave room in front of and behind everything that starts with them", () => {
    fc.assert(
      fc.property(anyValue, anyValue, fc.boolean(), (value, next, descending) => {
        const prefix = new KeyWriter();
        prefix.directed(value, descending);
        const key = prefix.key();
        const longer = new KeyWriter();
        longer.directed(value, descending);
        longer.directed(next, descending);
        const joined = longer.key();
        expect(before(key) <= joined && joined < after(key)).toBe(true);
      }),
    );
  });

  test("of values of one kind are never the beginning of each other", () => {
    fc.assert(
      fc.property(anyValue, anyValue, (a, b) => {
        fc.pre(!equalValues(a, b));
        expect(keyOf(b).startsWith(keyOf(a))).toBe(false);
      }),
    );
  });

  test("put documents in the order of their path's segments, numeric ids first and by number", () => {
    const paths = ["a/__id-2__", "a/__id2__", "a/__id10__", "a/B", "a/b", "a/b/c/d", "a/b!", "b/a"];
    expect([...paths].reverse().sort((x, y) => (pathKey(x) < pathKey(y) ? -1 : 1))).toEqual(paths);
    expect(idKey("__id10__") > idKey("__id2__")).toBe(true);
  });
});
