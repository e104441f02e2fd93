import * as fc from "fast-check";
import { nodeFromJson } from "./json.ts";
import { Node } from "./node.ts";

/** For tests: keys out of few, so that writes meet. */
export const anyKey = fc.constantFrom("a", "b", "c", "d", "1", "2", "10", "é");

export const anyLeaf = fc.oneof(
  fc.boolean(),
  fc.integer({ min: -3, max: 3 }),
  // Not any double: the SDK hashes those right below a power of two wrongly, 2 ** 53 - 1 among them.
  fc.integer().map((n) => n / 1_000),
  fc.string({ maxLength: 3 }),
);

const anyPriority = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fc.integer({ min: 0, max: 3 }), fc.string());

/** Trees as JSON in the export form, null among them. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.tuple(anyLeaf, anyPriority).map(([leaf, priority]) => {
    return priority === null ? leaf : { ".value": leaf, ".priority": priority };
  }),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    tie("leaf"),
    fc
      .tuple(fc.dictionary(anyKey, tie("tree"), { maxKeys: 5 }), anyPriority)
      .map(([children, priority]) => (priority === null ? children : { ...children, ".priority": priority })),
  ),
})).tree;

export function toNode(json: unknown): Node {
  return nodeFromJson(json, { now: 0, existing: Node.EMPTY, depth: 0 });
}

export const anyNode = anyJson.map(toNode);
