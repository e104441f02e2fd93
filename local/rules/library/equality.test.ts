import { describe, expect, test } from "vitest";
import { LatLng, RulesDuration, RulesPath, RulesTimestamp, type RulesValue } from "../value.ts";
import { bytes, map, refusal, set, testOperators } from "./cases.ts";
import { LIMITS } from "./limits.ts";
import { callMethod } from "./methods.ts";
import { binary } from "./operators.ts";

const NAN = Number.NaN;
const DATA = map({ name: "ada", gone: null });

describe("equality", () => {
  testOperators([
    [1n, "==", 1, true],
    [1n, "!=", 1, false],
    [0n, "==", -0, true],
    [2n ** 53n + 1n, "==", 2 ** 53, false],
    [NAN, "==", NAN, false],
    [NAN, "!=", NAN, true],
    ["a", "==", "a", true],
    ["a", "==", "A", false],
    ["1", "==", 1n, false],
    [1n, "!=", "1", true],
    [true, "==", 1n, false],
    [null, "==", null, true],
    [null, "==", false, false],
    [null, "!=", 3n, true],
    [[], "==", map({}), false],
    [[], "==", [], true],
    [["a", "b"], "==", ["a", "b"], true],
    [["a", "b"], "==", ["b", "a"], false],
    [["a"], "==", ["a", "a"], false],
    [["ab"], "==", ["a", "b"], false],
    [["a", ["b"]], "==", [["a"], "b"], false],
    [[1n], "==", [1], false],
    [[[1n]], "==", [[1]], false],
    [[1], "==", [1], true],
    [[0], "==", [-0], false],
    [[-0], "==", [-0], true],
    [[NAN], "==", [NAN], false],
    [[null], "==", [null], true],
    [[true], "==", ["true"], false],
    [map({ a: 1n, b: 2n }), "==", map({ b: 2n, a: 1n }), true],
    [map({ a: 1n }), "==", map({ a: 1 }), false],
    [map({ a: 1 }), "==", map({ a: 1 }), true],
    [map({ a: -0 }), "==", map({ a: 0 }), false],
    [map({ a: null }), "==", map({}), false],
    [map({ a: null }), "==", map({ b: null }), false],
    [map({ a: map({ b: [1n] }) }), "==", map({ a: map({ b: [1n] }) }), true],
    [set("a", "b"), "==", set("b", "a"), true],
    [set("a"), "==", set("a", "b"), false],
    [set(1n), "==", set(1), true],
    [set([1n]), "==", set([1]), true],
    [set(0), "==", set(-0), true],
    [set(NAN), "==", set(NAN), true],
    [set("a"), "==", ["a"], false],
    [[set("a", "b")], "==", [set("b", "a")], true],
    [bytes(1, 2), "==", bytes(1, 2), true],
    [bytes(1, 2), "==", bytes(1, 3), false],
    [bytes(97), "==", "a", false],
    [new LatLng(1, 2), "==", new LatLng(1, 2), true],
    [new LatLng(1, 2), "==", new LatLng(2, 1), false],
    [new RulesTimestamp(1), "==", new RulesDuration(1), false],
    [new RulesPath(["a", "b"]), "==", new RulesPath(["ab"]), false],
    [callMethod(map({ a: 1n }), "diff", [map({})]), "==", callMethod(map({ a: 1n }), "diff", [map({})]), true],
    [callMethod(map({ a: 1n }), "diff", [map({})]), "==", callMethod(map({}), "diff", [map({ a: 1n })]), false],
  ]);

  test("refuses to compare more than it can", () => {
    const doubled = (value: RulesValue, times: number): RulesValue =>
      times === 0 ? value : doubled([value, value], times - 1);
    expect(binary("==", doubled("a", 10), doubled("a", 10))).toBe(true);
    expect(() => binary("==", doubled("a", 40), doubled("a", 40))).toThrow("There is too much to compare.");
    const nested = (depth: number): RulesValue => (depth === 0 ? 1n : [nested(depth - 1)]);
    expect(binary("==", nested(LIMITS.depth), nested(LIMITS.depth))).toBe(true);
    expect(() => binary("==", nested(LIMITS.depth + 1), nested(LIMITS.depth + 1))).toThrow("nested too deeply");
  });
});

describe("in", () => {
  testOperators([
    ["a", "in", ["a", "b"], true],
    ["z", "in", ["a", "b"], false],
    ["a", "in", [], false],
    [null, "in", [null], true],
    [1n, "in", [1n], true],
    [1, "in", [1n], false],
    [1n, "in", [1], false],
    [2.5, "in", [2.5], true],
    [-0, "in", [0], true],
    [0n, "in", [-0], false],
    [NAN, "in", [NAN], false],
    [["a"], "in", [["a"]], true],
    [[1n], "in", [[1]], false],
    [[0], "in", [[-0]], false],
    [map({ a: 1n }), "in", [map({ a: 1n })], true],
    ["a", "in", set("a", "b"), true],
    ["z", "in", set("a", "b"), false],
    [1, "in", set(1n), true],
    [[1n], "in", set([1]), true],
    [NAN, "in", set(NAN), true],
    ["name", "in", DATA, true],
    ["gone", "in", DATA, true],
    ["typo", "in", DATA, false],
    ["toString", "in", DATA, false],
    [1n, "in", DATA, refusal("Received: map.in(int). Expected: map.in(string).")],
    ["a", "in", null, refusal("Null value error.")],
    ["a", "in", "abc", refusal("Function not found error: Name: [in].")],
    ["a", "in", 5n, refusal("Function not found error: Name: [in].")],
  ]);
});
