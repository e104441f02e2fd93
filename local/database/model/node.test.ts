import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyJson, anyKey, anyNode, toNode } from "./arbitrary.ts";
import { BY_PRIORITY, BY_VALUE, parseIndex, positionIn } from "./child-index.ts";
import { toText } from "./json.ts";
import { Node } from "./node.ts";
import { comparePositions } from "./order.ts";

const sha1 = (text: string) => createHash("sha1").update(text).digest("base64");
const path = fc.array(anyKey, { maxLength: 3 });

describe("a tree", () => {
  test("is not changed by what is written to its successors", () => {
    fc.assert(
      fc.property(anyNode, path, anyNode, (tree, place, node) => {
        const before = toText(tree, "export");
        const after = tree.with(place, node);
        expect(toText(tree, "export")).toBe(before);
        expect(after.at(place).equals(node)).toBe(true);
      }),
    );
  });

  test("shares with its successor all that was not written", () => {
    const tree = toNode({ a: { x: 1 }, b: { y: { z: 2 } } });
    const after = tree.with(["b", "q"], Node.ofLeaf(3));
    expect(after.child("a")).toBe(tree.child("a"));
    expect(after.at(["b", "y"])).toBe(tree.at(["b", "y"]));
    expect(tree.with(["b", "nothing", "here"], Node.EMPTY)).toBe(tree);
  });

  test("loses places that nothing stands in any more, with their priorities", () => {
    const tree = toNode({ a: { b: { c: 1, ".priority": 2 } }, d: 1 });
    expect(toText(tree.with(["a", "b", "c"], Node.EMPTY), "export")).toBe('{"d":1}');
  });

  test("lets a leaf give way to children, but not to the absence of one", () => {
    const tree = toNode({ a: 5 });
    expect(toText(tree.with(["a", "b"], Node.ofLeaf(1)), "value")).toBe('{"a":{"b":1}}');
    expect(tree.with(["a", "b"], Node.EMPTY)).toBe(tree);
  });

  test("keeps its indexes right through writes", () => {
    const indexes = [BY_PRIORITY, BY_VALUE, parseIndex("a"), parseIndex("b/c")];
    const writes = fc.array(fc.tuple(path, anyNode), { maxLength: 8 });
    fc.assert(
      fc.property(anyNode, writes, (start, steps) => {
        let tree = start;
        for (const [place, node] of steps) {
          for (const index of indexes) tree.ordered(index);
          tree = tree.with(place, node);
        }
        for (const index of indexes) {
          const expected = [...tree.entries()].map(([key, child]) => positionIn(index, key, child));
          expected.sort(comparePositions);
          expect([...(tree.ordered(index)?.keys() ?? [])]).toEqual(expected);
        }
      }),
    );
  });
});

describe("the hash", () => {
  test("is the SHA-1 of what the SDKs hash", () => {
    expect(Node.EMPTY.hash()).toBe("");
    expect(toNode("a").hash()).toBe(sha1("string:a"));
    expect(toNode(true).hash()).toBe(sha1("boolean:true"));
    expect(toNode(1.5).hash()).toBe(sha1("number:3ff8000000000000"));
    expect(toNode({ ".value": 1, ".priority": "p" }).hash()).toBe(sha1("priority:string:p:number:3ff0000000000000"));
    expect(toNode({ b: "x", a: "y" }).hash()).toBe(sha1(`:a:${sha1("string:y")}:b:${sha1("string:x")}`));
  });

  test("takes children in the order of their priorities if any has one", () => {
    const first = toNode({ ".value": 1, ".priority": 7 }).hash();
    expect(toNode({ a: { ".value": 1, ".priority": 7 }, b: 2 }).hash()).toBe(sha1(`:b:${toNode(2).hash()}:a:${first}`));
  });

  test("is the same exactly where trees are equal", () => {
    fc.assert(
      fc.property(anyJson, anyJson, (a, b) => {
        const [x, y] = [toNode(a), toNode(b)];
        expect(x.hash() === y.hash()).toBe(x.equals(y));
        expect(toNode(structuredClone(a)).hash()).toBe(x.hash());
      }),
    );
  });
});
