import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anyJson, anyKey, toNode } from "../model/arbitrary.ts";
import { toText } from "../model/json.ts";
import { Node } from "../model/node.ts";
import { PRIORITY } from "../model/path.ts";
import { ADMIN } from "../security.ts";
import type { Commit } from "../store/commit.ts";
import { Namespace, type Put } from "../store/namespace.ts";
import { commitRecord, recordsOf, restore } from "./records.ts";

function restored(records: Iterable<Uint8Array>): Map<string, { root: Node }> {
  const databases = new Map<string, { root: Node }>();
  for (const record of records) {
    restore(record, (name) => {
      const database = databases.get(name) ?? { root: Node.EMPTY };
      databases.set(name, database);
      return database;
    });
  }
  return databases;
}

const anyPath = fc.array(anyKey, { maxLength: 4 });
const anyPut: fc.Arbitrary<Put> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ path: anyPath, json: anyJson }) },
  fc.record({ path: anyPath.map((path) => [...path, PRIORITY]), json: fc.constantFrom(null, 1, "p") }),
);

test("writes that are made again in their order lead to the same tree, priorities included", () => {
  fc.assert(
    fc.property(fc.array(anyPut, { maxLength: 12 }), (puts) => {
      const records: Uint8Array[] = [];
      const onCommit = ({ name }: Namespace, { changes }: Commit) => records.push(commitRecord(name, changes));
      const namespace = new Namespace({ name: "one", now: () => 0, onCommit });
      for (const put of puts) namespace.write({ path: put.path, puts: [put] }, ADMIN);
      const { root } = restored(records).get("one") ?? { root: Node.EMPTY };
      expect(toText(root, "export")).toBe(toText(namespace.root, "export"));
    }),
  );
});

test("a snapshot is the trees of all databases, however large, in records that are not", () => {
  const many = fc.dictionary(fc.string({ unit: fc.constantFrom(..."abcdé"), minLength: 1 }), anyJson, {
    minKeys: 100,
    maxKeys: 400,
  });
  fc.assert(
    fc.property(many, anyJson, fc.constantFrom(null, "p"), (large, small, priority) => {
      const roots = new Map([
        ["large", toNode({ deep: { er: { ...large, ".priority": priority } }, beside: large, ".priority": priority })],
        ["small", toNode(small)],
      ]);
      const records = [...recordsOf(roots)];
      const databases = restored(records);
      for (const [name, root] of roots) {
        expect(toText(databases.get(name)?.root ?? Node.EMPTY, "export")).toBe(toText(root, "export"));
      }
      expect(records.length).toBeGreaterThan(1);
    }),
    { numRuns: 30 },
  );
});
