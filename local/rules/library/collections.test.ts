import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RulesSet, type RulesValue } from "../value.ts";
import { bytes, map, refusal, set, testMethods } from "./cases.ts";
import { LIMITS } from "./limits.ts";
import { callMethod } from "./methods.ts";
import { binary } from "./operators.ts";

const NAN = Number.NaN;

describe("lists", () => {
  testMethods([
    [["a", "b"], "concat", [["c"]], ["a", "b", "c"]],
    [["x"], "concat", [["y", "x"]], ["x", "y", "x"]],
    [[], "concat", [[]], []],
    [["a"], "concat", ["b"], refusal("Received: list.concat(string). Expected: list.concat(list).")],
    [["a"], "concat", [set("b")], refusal("Received: list.concat(set)")],
    [["a", "b"], "hasAll", [["b", "a"]], true],
    [["a", "b"], "hasAll", [["a", "c"]], false],
    [["a", "b"], "hasAll", [[]], true],
    [["a", "a"], "hasAll", [["a"]], true],
    [[1n, 2.5], "hasAll", [[2.5]], true],
    [[1n], "hasAll", [[1]], false],
    [["a"], "hasAll", [set("z")], refusal("Received: list.hasAll(set). Expected: list.hasAll(list).")],
    [["a", "b"], "hasAny", [["z", "b"]], true],
    [["a", "b"], "hasAny", [["c", "d"]], false],
    [["a"], "hasAny", [[]], false],
    [[1n], "hasAny", [[1]], false],
    [[0], "hasAny", [[-0]], true],
    [[[0]], "hasAny", [[[-0]]], false],
    [["a", "b"], "hasAny", ["z"], refusal("Received: list.hasAny(string)")],
    [["a", "b"], "hasAny", [], refusal("Incorrect number of arguments. Received: 0. Expected: list.hasAny(list).")],
    [["a", "b"], "hasOnly", [["a", "c"]], false],
    [["a", "b"], "hasOnly", [["a", "b", "c"]], true],
    [["a", "b"], "hasOnly", [["b", "a"]], true],
    [["a", "a", "b"], "hasOnly", [["a", "b", "b"]], true],
    [["a", "a", "b"], "hasOnly", [["a", "b", "b", "c"]], true],
    [[], "hasOnly", [[]], true],
    [["a"], "hasOnly", [[]], false],
    [[NAN], "hasOnly", [[NAN]], false],
    [["a", "b"], "join", ["-"], "a-b"],
    [[], "join", [","], ""],
    [["a", 1n, true, null], "join", ["|"], "a|1|true|null"],
    [[2, -0.5, 100_000_000], "join", [","], "2.0,-0.5,1.0E8"],
    [["a", "b"], "join", [""], "ab"],
    [[["a"]], "join", [","], refusal("Received: string(list)")],
    [[map({ k: "v" })], "join", [","], refusal("Received: string(map)")],
    [[bytes(1)], "join", [","], refusal("Received: string(bytes)")],
    [["a", "b"], "join", [1n], refusal("Received: list.join(int). Expected: list.join(string).")],
    [["a", "b", "a", "c"], "removeAll", [["a", "c"]], ["b"]],
    [["a", "b"], "removeAll", [["z"]], ["a", "b"]],
    [["a", "b"], "removeAll", [[]], ["a", "b"]],
    [[["a"], map({ k: "v" }), null], "removeAll", [[["a"], null]], [map({ k: "v" })]],
    [[1n, 2n], "removeAll", [[1]], [1n, 2n]],
    [[1n, 2n], "removeAll", [[1n]], [2n]],
    [[-0], "removeAll", [[0]], []],
    [["a"], "removeAll", ["a"], refusal("Received: list.removeAll(string)")],
    [[1n, "a", null], "size", [], 3n],
    [[], "size", [], 0n],
    [["a", "a", "b"], "toSet", [], new RulesSet(["a", "b"])],
    [[1n, 1], "toSet", [], new RulesSet([1n])],
    [[1, 1n], "toSet", [], new RulesSet([1])],
    [[0, -0], "toSet", [], new RulesSet([0])],
    [[NAN, NAN], "toSet", [], new RulesSet([NAN])],
    [[[1n], [1]], "toSet", [], new RulesSet([[1n]])],
    [["1", 1n], "toSet", [], new RulesSet(["1", 1n])],
    [["a"], "toSet", [1n], refusal("Incorrect number of arguments. Received: 1. Expected: list.toSet().")],
    [["a"], "difference", [set("a")], refusal("Function not found error: Name: [difference].")],
  ]);

  test("longer than any may be are refused", () => {
    const long = new Array<RulesValue>(LIMITS.items).fill(null);
    expect(() => callMethod(long, "concat", [[null]])).toThrow("The list is too long.");
    expect(() => callMethod(long, "join", ["....."])).toThrow("The string is too long.");
  });

  test("of many elements are compared without comparing each with each", () => {
    const numbers = (from: number) => Array.from({ length: 100_000 }, (_, i) => BigInt(from + i));
    expect(callMethod(numbers(0), "hasAny", [numbers(100_000)])).toBe(false);
    expect(callMethod(numbers(0), "hasOnly", [numbers(0)])).toBe(true);
  });
});

describe("sets", () => {
  testMethods([
    [set("a", "b"), "difference", [set("a", "c")], set("b")],
    [set("a", "b"), "difference", [set("b", "a")], set()],
    [set(1n), "difference", [set(1)], set()],
    [set("a"), "difference", [["a"]], refusal("Received: set.difference(list). Expected: set.difference(set).")],
    [set("a", "b"), "hasAll", [["a", "c"]], false],
    [set("d", "e", "f"), "hasAll", [["d", "e"]], true],
    [set("a", "b"), "hasAll", [set("a")], true],
    [set("a"), "hasAll", [[]], true],
    [set(1n), "hasAll", [[1]], true],
    [set("a", "b"), "hasAny", [set("c", "d")], false],
    [set("a", "b"), "hasAny", [set("a", "c")], true],
    [set("a", "b"), "hasAny", [["z", "b"]], true],
    [set(map({ a: 1n })), "hasAny", [[map({ a: 1 })]], true],
    [set(NAN), "hasAny", [[NAN]], true],
    [set("a", "b"), "hasOnly", [["a", "c"]], false],
    [set("a", "b"), "hasOnly", [["a", "b"]], true],
    [set("a"), "hasOnly", [["a", "b"]], true],
    [set(), "hasOnly", [[]], true],
    [set("a", "b"), "hasOnly", ["a"], refusal("Received: set.hasOnly(string)")],
    [set("a", "b"), "intersection", [set("a", "c")], set("a")],
    [set("a"), "intersection", [set("b")], set()],
    [set(1n), "intersection", [set(1)], set(1n)],
    [set("a"), "intersection", [["a"]], refusal("Received: set.intersection(list)")],
    [set("a", "b", "a"), "size", [], 2n],
    [set("a", "b"), "union", [set("a", "c")], set("a", "b", "c")],
    [set(1n), "union", [set(1)], set(1n)],
    [set("a"), "union", [["b"]], refusal("Received: set.union(list)")],
    [set("a"), "union", [], refusal("Incorrect number of arguments. Received: 0.")],
    [set("a"), "toSet", [], refusal("Function not found error: Name: [toSet].")],
    [set("a"), "join", [","], refusal("Function not found error: Name: [join].")],
  ]);

  const item = fc.oneof(fc.constantFrom<RulesValue>(null, true, "a", "b", 1n, 1, 2n, NAN, -0, 0n), fc.constant(["a"]));
  const anySet = fc.array(item, { maxLength: 8 }).map((items) => set(...items));

  test("obey the algebra of sets", () => {
    fc.assert(
      fc.property(anySet, anySet, anySet, (a, b, c) => {
        const [both, either] = [callMethod(a, "intersection", [b]), callMethod(a, "union", [b])];
        expect(binary("==", either, callMethod(b, "union", [a]))).toBe(true);
        expect(binary("==", both, callMethod(b, "intersection", [a]))).toBe(true);
        const onlyA = callMethod(a, "difference", [b]);
        expect(binary("==", callMethod(onlyA, "union", [both]), a)).toBe(true);
        expect(callMethod(callMethod(onlyA, "intersection", [b]), "size", [])).toBe(0n);
        const distributed = callMethod(both, "union", [callMethod(a, "intersection", [c])]);
        expect(binary("==", callMethod(a, "intersection", [callMethod(b, "union", [c])]), distributed)).toBe(true);
      }),
    );
  });

  test("know their subsets", () => {
    fc.assert(
      fc.property(anySet, anySet, (a, b) => {
        const missing = callMethod(callMethod(a, "difference", [b]), "size", []);
        expect(callMethod(a, "hasOnly", [b])).toBe(missing === 0n);
        expect(callMethod(b, "hasAll", [a])).toBe(missing === 0n);
        expect(callMethod(a, "hasAny", [b])).toBe(callMethod(callMethod(a, "intersection", [b]), "size", []) !== 0n);
      }),
    );
  });

  test("are equal whatever the order that their elements came in", () => {
    fc.assert(
      fc.property(fc.array(item), (items) => {
        expect(binary("==", set(...items), set(...items.toReversed()))).toBe(true);
      }),
    );
  });
});
