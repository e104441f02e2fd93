import { describe, expect, test } from "vitest";
import { Timestamp, type Value } from "../model/value.ts";
import { applyTransform } from "./transform.ts";

const time = Timestamp.fromMicros(1_700_000_000_000_000);
const apply = (transform: object, current: Value | undefined) =>
  applyTransform({ fieldPath: "f", ...transform }, current, time).value;

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

describe("increment", () => {
  test.each<[Value | undefined, Value, Value]>([
    [1n, 2n, 3n],
    [MAX, 1n, MAX],
    [MAX - 1n, 5n, MAX],
    [MIN, -1n, MIN],
    [1n, 0.5, 1.5],
    [0.5, 1n, 1.5],
    [Number.MAX_VALUE, Number.MAX_VALUE, Number.POSITIVE_INFINITY],
    [undefined, 7n, 7n],
    ["text", 7n, 7n],
    [Number.NaN, 1n, Number.NaN],
  ])("of %s by %s is %s", (current, by, expected) => {
    expect(apply({ increment: by }, current)).toEqual(expected);
  });

  test("refuses what is no number", () => {
    expect(() => apply({ increment: "1" }, 1n)).toThrow(/must be an integer or a double/);
  });
});

describe("maximum and minimum", () => {
  test.each<[Value | undefined, Value, Value, Value]>([
    [1n, 2n, 2n, 1n],
    [1n, 2.5, 2.5, 1n],
    [3n, 3, 3n, 3n],
    [3, 3n, 3, 3],
    [0, -0, 0, 0],
    [-0, 0n, -0, -0],
    [1n, Number.NaN, Number.NaN, Number.NaN],
    [Number.NaN, 1n, Number.NaN, Number.NaN],
    [undefined, 5n, 5n, 5n],
    ["text", 5n, 5n, 5n],
    [2n ** 53n + 1n, 2 ** 53, 2n ** 53n + 1n, 2 ** 53],
  ])("of %s and %s are %s and %s", (current, operand, maximum, minimum) => {
    expect(apply({ maximum: operand }, current)).toBe(maximum);
    expect(apply({ minimum: operand }, current)).toBe(minimum);
  });
});

describe("arrays", () => {
  test("take in what they lack, comparing numbers by value", () => {
    const elements = { appendMissingElements: { values: [1, "a", 1n, Number.NaN, null] } };
    expect(apply(elements, [1n, Number.NaN])).toEqual([1n, Number.NaN, "a", null]);
    expect(apply(elements, "no array")).toEqual([1, "a", Number.NaN, null]);
  });

  test("lose every occurrence of what is taken out", () => {
    expect(apply({ removeAllFromArray: { values: [1, null] } }, [1n, 2n, null, 1])).toEqual([2n]);
    expect(apply({ removeAllFromArray: { values: [1] } }, undefined)).toEqual([]);
  });
});

test("the server's time is the time of the commit, and nothing else is a server value", () => {
  expect(apply({ setToServerValue: 1 }, "old")).toBe(time);
  expect(() => apply({ setToServerValue: 2 }, "old")).toThrow();
  expect(() => apply({}, "old")).toThrow(/no operation/);
});
