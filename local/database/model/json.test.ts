import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyNode, toNode } from "./arbitrary.ts";
import { nodeFromJson, toText } from "./json.ts";
import { Node } from "./node.ts";

const valueForm = (json: unknown) => JSON.parse(toText(toNode(json), "value")) as unknown;
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

describe("JSON", () => {
  test("comes back from the export form as it went in", () => {
    fc.assert(
      fc.property(anyNode, (node) => {
        expect(toNode(JSON.parse(toText(node, "export"))).equals(node)).toBe(true);
      }),
    );
  });

  test("of null and of nothing but nulls is nothing", () => {
    for (const json of [null, {}, [], { a: null, b: { c: {} } }, { ".priority": 3 }]) {
      expect(toNode(json).isEmpty, JSON.stringify(json)).toBe(true);
    }
  });

  test("has an array where at least half of the positions are filled", () => {
    expect(valueForm(["a", "b"])).toEqual(["a", "b"]);
    expect(valueForm({ 0: "a", 2: "c" })).toEqual(["a", null, "c"]);
    expect(valueForm({ 1: "b" })).toEqual([null, "b"]);
    expect(valueForm({ 5: "f" })).toEqual({ 5: "f" });
    expect(valueForm({ 0: "a", x: "b" })).toEqual({ 0: "a", x: "b" });
    expect(toText(toNode(["a", "b"]), "export")).toBe('{"0":"a","1":"b"}');
  });

  test("has keys in their order, those that JavaScript takes for special among them", () => {
    const json = JSON.parse('{"b":1,"__proto__":{"x":1},"constructor":2,"10":3,"9":4}') as unknown;
    expect(toText(toNode(json), "value")).toBe('{"9":4,"10":3,"__proto__":{"x":1},"b":1,"constructor":2}');
  });

  test("has priorities in the export form only", () => {
    const node = toNode({ a: { ".value": 1, ".priority": "p" }, b: { c: 2, ".priority": 3 } });
    expect(toText(node, "export")).toBe('{"a":{".value":1,".priority":"p"},"b":{"c":2,".priority":3}}');
    expect(toText(node, "value")).toBe('{"a":1,"b":{"c":2}}');
  });
});

describe("what cannot be stored", () => {
  test.each([
    ["keys with characters that paths do not take", { "a.b": 1 }],
    ["keys with slashes", { "a/b": 1 }],
    ["keys with control characters", { "a\u0001": 1 }],
    ["empty keys", { "": 1 }],
    ["keys of more than 768 bytes", { ["é".repeat(385)]: 1 }],
    ["values with children", { ".value": 1, a: 2 }],
    ["objects as values", { ".value": { a: 1 } }],
    ["priorities that are objects", { ".value": 1, ".priority": {} }],
    ["unknown server values", { ".sv": "random" }],
    ["increments by text", { ".sv": { increment: "1" } }],
    ["more than 32 levels", nested(33)],
    ["levels without end", JSON.parse(`${"[".repeat(500_000)}${"]".repeat(500_000)}`)],
    ["values of values without end", JSON.parse(`${'{".value":'.repeat(100_000)}1${"}".repeat(100_000)}`)],
    ["numbers beyond what a double holds", JSON.parse("1e999")],
    ["strings of more than 10 MB", "x".repeat(10 * 1024 * 1024 + 1)],
  ])("%s are refused", (_, json) => {
    expect(() => toNode(json)).toThrow(/^Invalid data/);
  });

  test("does not begin before the limit", () => {
    expect(toNode({ ["é".repeat(384)]: 1 }).size).toBe(1);
    expect(toNode(nested(32)).isEmpty).toBe(false);
    expect(toNode("x".repeat(10 * 1024 * 1024)).isEmpty).toBe(false);
  });
});

describe("server values", () => {
  const writing = { now: 1_700_000_000_000, existing: toNode({ n: 5, s: "x" }), depth: 0 };

  test("are the time of the write, and sums with what is there", () => {
    const increment = { ".sv": { increment: 2.5 } };
    const node = nodeFromJson({ t: { ".sv": "timestamp" }, n: increment, s: increment, new: increment }, writing);
    expect(JSON.parse(toText(node, "value"))).toEqual({ t: 1_700_000_000_000, n: 7.5, s: 2.5, new: 2.5 });
  });

  test("may be priorities", () => {
    const node = nodeFromJson({ ".value": "x", ".priority": { ".sv": "timestamp" } }, writing);
    expect(node.priority).toBe(1_700_000_000_000);
    expect(node.equals(Node.ofLeaf("x", 1_700_000_000_000))).toBe(true);
  });
});
