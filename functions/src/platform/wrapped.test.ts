import { expect, test } from "vitest";
import { unwrapped } from "./wrapped.ts";

const SIGNED = "type.googleapis.com/google.protobuf.Int64Value";
const UNSIGNED = "type.googleapis.com/google.protobuf.UInt64Value";
const wrapped = (value: unknown, type = SIGNED) => ({ "@type": type, value });
const refused = (field: string) =>
  expect.objectContaining({ reason: "invalid-input", details: { reason: "invalid-input", field } });

test("numbers of 64 bits are taken out of their wrappers, wherever they are", () => {
  const data = { a: wrapped("-7"), list: [wrapped("8", UNSIGNED), { b: wrapped("0") }], text: "@type", none: null };
  expect(unwrapped(data)).toEqual({ a: -7, list: [8, { b: 0 }], text: "@type", none: null });
  expect(unwrapped(wrapped("5"))).toBe(5);
});

test("a number that cannot be told exactly is none of ours to round into a whole one", () => {
  expect(Number.isSafeInteger(unwrapped(wrapped("9007199254740993")))).toBe(false);
  expect(unwrapped(wrapped("1e999"))).toBe(Number.POSITIVE_INFINITY);
});

test.each(["NaN", "", "7 apples", undefined, null, [7], {}])("%j is no number of 64 bits", (value) => {
  expect(() => unwrapped({ list: [1, wrapped(value)] })).toThrow(refused("list.1"));
});

test("nothing else has a type, and nothing goes deeper than can be looked at", () => {
  expect(() => unwrapped({ a: wrapped("1", "type.googleapis.com/google.protobuf.Any") })).toThrow(refused("a"));
  const deep = JSON.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`) as unknown;
  expect(() => unwrapped(deep)).toThrow(refused("a"));
});
