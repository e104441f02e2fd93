import { expect, test } from "vitest";
import { breakages, type JsonSchema } from "./schema.ts";

const object = (properties: Record<string, JsonSchema>, required: string[] = Object.keys(properties)): JsonSchema => ({
  type: "object",
  properties,
  required,
});
const text: JsonSchema = { type: "string" };

test.each<[string, JsonSchema, JsonSchema, string | undefined]>([
  ["a new field that may be absent", object({ a: text }), object({ a: text, b: text }, ["a"]), undefined],
  ["a new field that must be there", object({ a: text }), object({ a: text, b: text }), "b: is new and required"],
  ["a field that becomes required", object({ a: text }, []), object({ a: text }), "a: is now required"],
  ["a field of another type", object({ a: text }), object({ a: { type: "integer" } }), "a: was string, is integer"],
  [
    "a lower maximum",
    object({ a: { type: "integer", maximum: 9 } }),
    object({ a: { type: "integer", maximum: 8 } }),
    "a: maximum was 9, is 8",
  ],
  [
    "a higher maximum",
    object({ a: { type: "integer", maximum: 9 } }),
    object({ a: { type: "integer", maximum: 10 } }),
    undefined,
  ],
  [
    "a value no longer taken",
    object({ a: { enum: ["x", "y"] } }),
    object({ a: { enum: ["x"] } }),
    "a: y is no longer taken",
  ],
  ["a value newly taken", object({ a: { enum: ["x"] } }), object({ a: { enum: ["x", "y"] } }), undefined],
])("for an app that sends, %s", (_, before, after, expected) => {
  expect(breakages(before, after, "sends")).toEqual(expected === undefined ? [] : [expected]);
});

test.each<[string, JsonSchema, JsonSchema, string | undefined]>([
  ["a new field", object({ a: text }), object({ a: text, b: text }), undefined],
  ["a field that is gone", object({ a: text, b: text }), object({ a: text }), "b: is gone"],
  ["a field that may now be absent", object({ a: text }), object({ a: text }, []), "a: may now be absent"],
  [
    "a value it does not know",
    object({ a: { enum: ["x"] } }),
    object({ a: { enum: ["x", "y"] } }),
    "a: y is given, which old apps do not know",
  ],
  [
    "a change deep inside",
    object({ a: { type: "array", items: object({ b: text }) } }),
    object({ a: { type: "array", items: object({ b: { type: "boolean" } }) } }),
    "a[].b: was string, is boolean",
  ],
])("for an app that gets, %s", (_, before, after, expected) => {
  expect(breakages(before, after, "gets")).toEqual(expected === undefined ? [] : [expected]);
});
