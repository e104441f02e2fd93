import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MapDiff, type RulesMap, type RulesValue } from "../value.ts";
import { map, refusal, set, testMethods } from "./cases.ts";
import { callMethod } from "./methods.ts";
import { binary } from "./operators.ts";

const nested = map({ a: map({ b: 1n, n: null }), c: 2n });

describe("maps", () => {
  testMethods([
    [map({ a: 3n, b: 2n }), "get", ["c", 7n], 7n],
    [map({ a: [2n, 7n], b: [9n, 12n] }), "get", ["c", [1n, 1n]], [1n, 1n]],
    [map({ a: [2n, 7n], b: [9n, 12n] }), "get", ["b", [1n, 1n]], [9n, 12n]],
    [nested, "get", [["a", "b"], 7n], 1n],
    [nested, "get", [["a", "z"], 7n], 7n],
    [nested, "get", [["z", "b"], 7n], 7n],
    [nested, "get", [["c", "b"], 7n], 7n],
    [nested, "get", [["a", "n"], 7n], null],
    [nested, "get", [["a", "n", "x"], 7n], 7n],
    [nested, "get", [["a"], 7n], map({ b: 1n, n: null })],
    [nested, "get", ["constructor", 7n], 7n],
    [nested, "get", [[], 7n], refusal("the list of keys is empty")],
    [nested, "get", [["a", 1n], 7n], refusal("a key must be a string")],
    [nested, "get", [1n, 7n], refusal("Received: map.get(int, int). Expected: map.get(string|list, any).")],
    [nested, "get", ["a"], refusal("Incorrect number of arguments. Received: 1.")],
    [map({ b: 1n, a: 2n }), "keys", [], ["a", "b"]],
    [map({ b: 1n, "10": 2n, "9": 3n }), "keys", [], ["10", "9", "b"]],
    [map({ é: 1n, z: 2n, ｚ: 3n, "😀": 4n, e: 5n }), "keys", [], ["e", "z", "é", "ｚ", "😀"]],
    [map({ ab: 1n, a: 2n, "a b": 3n, "": 4n }), "keys", [], ["", "a", "a b", "ab"]],
    [map({}), "keys", [], []],
    [map({ c: 3n, a: 1n, b: 2n }), "values", [], [3n, 1n, 2n]],
    [map({}), "values", [], []],
    [map({ a: 1n, b: null }), "size", [], 2n],
    [map({}), "size", [], 0n],
    [map({ a: 1n }), "diff", [map({ a: 2n })], new MapDiff(map({ a: 1n }), map({ a: 2n }))],
    [map({ a: 1n }), "diff", [null], refusal("Received: map.diff(null). Expected: map.diff(map).")],
    [map({ a: 1n }), "hasAll", [["a"]], refusal("Function not found error: Name: [hasAll].")],
    [map({ size: 1n }), "toString", [], refusal("Function not found error: Name: [toString].")],
  ]);
});

const diff = (left: Record<string, RulesValue>, right: Record<string, RulesValue>) =>
  new MapDiff(map(left), map(right));
const everything = diff({ a: 0n, c: 0n, u: 0n }, { r: 0n, c: 1n, u: 0n });

describe("differences of maps", () => {
  testMethods([
    [diff({ a: 1n }, {}), "addedKeys", [], set("a")],
    [diff({}, { a: 1n }), "addedKeys", [], set()],
    [everything, "addedKeys", [], set("a")],
    [everything, "removedKeys", [], set("r")],
    [everything, "changedKeys", [], set("c")],
    [everything, "unchangedKeys", [], set("u")],
    [everything, "affectedKeys", [], set("a", "r", "c")],
    [diff({}, { a: 1n }), "removedKeys", [], set("a")],
    [diff({ a: 0n }, { a: 1n, b: 4n }), "changedKeys", [], set("a")],
    [diff({ a: 0n }, { a: 0n }), "unchangedKeys", [], set("a")],
    [diff({}, {}), "affectedKeys", [], set()],
    [diff({ a: 1n }, { a: 1 }), "affectedKeys", [], set()],
    [diff({ a: [1n] }, { a: [1] }), "changedKeys", [], set()],
    [diff({ a: 0 }, { a: -0 }), "changedKeys", [], set()],
    [diff({ a: Number.NaN }, { a: Number.NaN }), "changedKeys", [], set()],
    [diff({ a: 1n }, { a: 2 }), "changedKeys", [], set("a")],
    [diff({ a: null }, { a: false }), "changedKeys", [], set("a")],
    [diff({ a: null }, {}), "addedKeys", [], set("a")],
    [diff({ a: map({ x: 1n, y: 2n }) }, { a: map({ y: 2n, x: 1n }) }), "changedKeys", [], set()],
    [diff({ a: map({ x: 1n }) }, { a: map({ x: 2n }) }), "changedKeys", [], set("a")],
    [diff({ constructor: "x" }, { toString: "y" }), "addedKeys", [], set("constructor")],
    [everything, "affectedKeys", [1n], refusal("Incorrect number of arguments")],
    [everything, "keys", [], refusal("Function not found error: Name: [keys].")],
  ]);

  const value = fc.constantFrom<RulesValue>(null, 1n, 1, 2n, "a", [1n], Number.NaN);
  const anyMap: fc.Arbitrary<RulesMap> = fc
    .dictionary(fc.constantFrom("a", "b", "c", "__proto__"), value)
    .map((entries) => new Map(Object.entries(entries)));

  test("divide the keys of both maps among added, removed, changed and unchanged ones", () => {
    fc.assert(
      fc.property(anyMap, anyMap, (left, right) => {
        const keys = (name: string) => callMethod(callMethod(left, "diff", [right]), name, []);
        const parts = ["addedKeys", "removedKeys", "changedKeys", "unchangedKeys"].map(keys);
        const sizes = parts.map((part) => callMethod(part, "size", []) as bigint);
        const all = set(...left.keys(), ...right.keys());
        const union = parts.reduce((one, other) => callMethod(one, "union", [other]));
        expect(binary("==", union, all)).toBe(true);
        expect(sizes.reduce((a, b) => a + b)).toBe(callMethod(all, "size", []));
        const affected = callMethod(all, "difference", [keys("unchangedKeys")]);
        expect(binary("==", keys("affectedKeys"), affected)).toBe(true);
      }),
    );
  });
});
