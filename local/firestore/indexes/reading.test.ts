import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareValues } from "../model/order.ts";
import { parseFieldPath } from "../model/path.ts";
import { isArray, type Value } from "../model/value.ts";
import { satisfies } from "../query/filter.ts";
import type { Query } from "../query/query.ts";
import { runQuery } from "../query/run.ts";
import { Clock } from "../store/clock.ts";
import { Database } from "../store/database.ts";
import { valueAt } from "../store/index.ts";
import type { StructuredQuery } from "../wire/messages.ts";
import { composite, DATABASE, find, inGroup, override, parse, where } from "./cases.ts";
import { type DefinedIndex, IndexDefinitions } from "./definitions.ts";
import { IndexesFile } from "./file.ts";
import { missingIndex } from "./missing.ts";
import { type Needs, needsOf } from "./needs.ts";
import { serve, withName } from "./serve.ts";

type Fields = Map<string, Value>;

/** An entry of an index: its values and the document they are of. */
interface Entry {
  readonly id: string;
  readonly values: readonly Value[];
}

/** Every entry of an index over some documents, in its order: the definition of an index. */
function entriesOf(index: DefinedIndex, documents: ReadonlyMap<string, Fields>): Entry[] {
  const { fields, nameDescends } = withName(index);
  const entries = [...documents].flatMap(([id, stored]): Entry[] => {
    const values = fields.map(({ path, mode }) => {
      const value = valueAt(stored, parseFieldPath(path));
      if (mode !== "CONTAINS") return value === undefined ? [] : [value];
      return isArray(value) ? value : [];
    });
    const rows = values.reduce<Value[][]>(
      (made, some) => made.flatMap((row) => some.map((one) => [...row, one])),
      [[]],
    );
    return rows.map((row) => ({ id, values: row }));
  });
  return entries.sort((a, b) => {
    for (const [i, { mode }] of fields.entries()) {
      const order = compareValues(a.values[i] as Value, b.values[i] as Value);
      if (order !== 0) return mode === "DESCENDING" ? -order : order;
    }
    return (a.id < b.id ? -1 : Number(a.id > b.id)) * (nameDescends ? -1 : 1);
  });
}

/**
 * What one index gives of a query: the entries that begin with the values that the query fixes, which must lie side by side, less those
 * that its other comparisons rule out. It looks at nothing that is not in the index.
 */
function read(index: DefinedIndex, documents: ReadonlyMap<string, Fields>, query: Query, needs: Needs): string[] {
  const { fields } = withName(index);
  const conjunction = query.disjunctions[0] ?? [];
  const begin = fields.slice(0, fields.length - needs.sorted.length - needs.added.length);
  const wanted = begin.map(({ path, mode }) => {
    const operator = mode === "CONTAINS" ? "contains" : "==";
    return conjunction.find((one) => one.operator === operator && one.path.join(".") === path)?.value as Value;
  });
  const places: number[] = [];
  const found: string[] = [];
  for (const [place, { id, values }] of entriesOf(index, documents).entries()) {
    if (!wanted.every((value, i) => compareValues(value, values[i] as Value) === 0)) continue;
    places.push(place);
    const known = fields.flatMap(({ path, mode }, i): [string, Value][] =>
      mode === "CONTAINS" ? [] : [[path, values[i] as Value]],
    );
    const indexed = new Map(known);
    const checks = conjunction.filter((one) => one.operator !== "contains" && indexed.has(one.path.join(".")));
    if (satisfies({ name: id, fields: indexed }, checks)) found.push(id);
  }
  expect((places.at(-1) ?? -1) - (places[0] ?? 0)).toBe(places.length - 1);
  return found;
}

const FIELDS = ["a", "b", "c"] as const;
const field = fc.constantFrom(...FIELDS);
const scalar = fc.constantFrom(1n, 2n, 3n);
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 1, arbitrary: fc.uniqueArray(scalar) },
);
const documents = fc
  .array(fc.dictionary(field, value, { maxKeys: 3, noNullPrototype: true }), { minLength: 1, maxLength: 25 })
  .map((all) => new Map(all.map((fields, i): [string, Fields] => [`${i + 100}`, new Map(Object.entries(fields))])));

const operator = fc.constantFrom(...(["==", "==", "==", "contains", "<", ">=", "!="] as const));
const orders = fc.uniqueArray(fc.tuple(fc.constantFrom(...FIELDS, "__name__"), fc.constantFrom("asc", "desc")), {
  selector: ([path]) => path,
  maxLength: 2,
});
const query = fc
  .tuple(fc.array(fc.tuple(field, operator, scalar), { maxLength: 3 }), orders)
  .map(([conditions, sorted]) => find(where(...conditions), ...sorted.map((order) => order.join(" "))))
  .filter(isAllowed);

function isAllowed(structured: StructuredQuery): boolean {
  try {
    return parse(structured).disjunctions.length === 1;
  } catch {
    return false;
  }
}

const indexes = fc
  .array(
    fc.uniqueArray(fc.tuple(field, fc.constantFrom("asc", "asc", "desc", "contains")), {
      selector: ([path]) => path,
      minLength: 2,
      maxLength: 3,
    }),
    { maxLength: 8 },
  )
  .map((all) => all.map((fields) => composite(fields.map((one) => one.join(" ")).join(", "))));
const overrides = fc.array(
  fc.tuple(field, fc.subarray(["asc", "desc", "contains", "group asc"])).map(([path, kept]) => override(path, ...kept)),
  { maxLength: 2 },
);
const file = fc.record({ indexes, fieldOverrides: overrides }).map((content) => IndexesFile.parse(content));

test("what is said to be served can be read from the indexes given, in order, and from nothing else", () => {
  let served = 0;
  let merged = 0;
  fc.assert(
    fc.property(documents, query, file, (stored, structured, content) => {
      const parsed = parse(structured);
      const [needs] = needsOf(parsed) as [Needs];
      const used = serve(needs, new IndexDefinitions(content));
      if (!used || used.length === 0) return;
      served++;
      if (used.length > 1) merged++;
      const lists = used.map((index) => read(index, stored, parsed, needs));
      const everywhere = (id: string) => lists.every((list) => list.includes(id));
      const results = lists.map((list) => list.filter(everywhere));
      const database = new Database(DATABASE, new Clock());
      for (const [id, fields] of stored) database.apply([{ path: `things/${id}`, fields, bytes: 0 }], database.tick());
      const expected = runQuery(database, parsed).documents.map(({ path }) => path.replace("things/", ""));
      for (const result of results) expect(result).toEqual(expected);
    }),
    { numRuns: 3_000 },
  );
  expect(served).toBeGreaterThan(300);
  expect(merged).toBeGreaterThan(30);
});

test("what is not served is, once the file has what the refusal names", () => {
  let refused = 0;
  fc.assert(
    fc.property(query, fc.boolean(), file, (structured, isGroup, content) => {
      const [needs] = needsOf(parse(isGroup ? inGroup(structured) : structured)) as [Needs];
      const definitions = new IndexDefinitions(content);
      if (serve(needs, definitions)) return;
      refused++;
      const missing = missingIndex(needs, definitions);
      const mended =
        missing.kind === "composite"
          ? { ...content, indexes: [...content.indexes, missing.index] }
          : { ...content, fieldOverrides: [...content.fieldOverrides, missing.override] };
      expect(serve(needs, new IndexDefinitions(IndexesFile.parse(mended)))).toBeDefined();
    }),
    { numRuns: 2_000 },
  );
  expect(refused).toBeGreaterThan(300);
});
