import { describe, expect, test } from "vitest";
import { LatLng, MapDiff, RulesDuration, RulesPath, RulesTimestamp, type RulesValue } from "../value.ts";
import { bytes, map, set } from "./cases.ts";
import { formatValue } from "./format.ts";

const CASES: readonly (readonly [RulesValue, string])[] = [
  [null, "null"],
  [true, "true"],
  [-5n, "-5"],
  [2, "2.0"],
  [Number.NaN, "NaN"],
  ["a", '"a"'],
  ['say "hi"\n', '"say \\"hi\\"\\n"'],
  [[], "[]"],
  [[1n, "a", null], '[1, "a", null]'],
  [map({}), "{}"],
  [map({ a: 1n, b: [2n] }), '{"a": 1, "b": [2]}'],
  [set("a", "b"), '["a", "b"].toSet()'],
  [new MapDiff(map({ a: 1n }), map({})), '{"a": 1}.diff({})'],
  [bytes(0x0f, 0xff), "b'\\x0F\\xFF'"],
  [new RulesTimestamp(441_849_600), "1984-01-02T00:00:00Z"],
  [new RulesTimestamp(-2, 500_000_000), "1969-12-31T23:59:58.5Z"],
  [new RulesTimestamp(0, 1), "1970-01-01T00:00:00.000000001Z"],
  [new RulesDuration(5_400), "5400s"],
  [new RulesDuration(-1, -500_000_000), "-1.5s"],
  [new LatLng(37.5, -122), "latlng(37.5, -122.0)"],
  [new RulesPath(["users", "ada"]), "/users/ada"],
];

describe("values are shown", () => {
  test.each(CASES)("%o as %s", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  test("at no more than a hundred characters", () => {
    expect(formatValue("a".repeat(1_000))).toBe(`"${"a".repeat(98)}…`);
    expect(formatValue(new Array<RulesValue>(100_000).fill(1n))).toBe(`[${"1, ".repeat(32)}1,…`);
    expect(formatValue(bytes(...new Array<number>(50).fill(255)))).toHaveLength(100);
    const doubled = (value: RulesValue, times: number): RulesValue =>
      times === 0 ? value : doubled([value, value], times - 1);
    const shown = formatValue(doubled("a", 60));
    expect(shown.startsWith(`${"[".repeat(11)}…, …], […, …]], [[…, …], […, …]]], `)).toBe(true);
    expect(shown).toHaveLength(100);
  });
});
