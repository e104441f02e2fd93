import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareStrings, compareValues } from "../model/order.ts";
import { parseFieldPath } from "../model/path.ts";
import { isArray, isNumber, Reference, type Value } from "../model/value.ts";
import { Clock } from "../store/clock.ts";
import { Database } from "../store/database.ts";
import { valueAt } from "../store/index.ts";
import type { Filter, StructuredQuery } from "../wire/messages.ts";
import { type Order, parseQuery } from "./query.ts";
import { runQuery } from "./run.ts";

const NAME = "projects/p/databases/(default)";
const ROOT = `${NAME}/documents`;

type Fields = Map<string, Value>;
type Documents = ReadonlyMap<string, Fields>;

function databaseOf(documents: Documents): Database {
  const database = new Database(NAME, new Clock());
  for (const [path, fields] of documents) put(database, path, fields);
  return database;
}

function put(database: Database, path: string, fields: Fields | null): void {
  database.apply([{ path, fields, bytes: 0 }], database.tick());
}

function run(database: Database, query: StructuredQuery, at?: number): string[] {
  return runQuery(database, parseQuery(ROOT, query), at).documents.map(({ path }) => path);
}

/** What a query should return, worked out by reading everything: the definition that the indexes must agree with. */
function expected(documents: Documents, query: StructuredQuery): string[] {
  const { orders, offset, limit, start, end } = parseQuery(ROOT, query);
  const placed = [...documents]
    .filter(([, fields]) => matches(fields, query.where))
    .map(([path, fields]) => ({ path, place: orders.map((order) => placeOf(path, fields, order)) }))
    .filter((row): row is { path: string; place: Value[] } => !row.place.includes(undefined));
  const compare = (a: readonly Value[], b: readonly Value[]) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compareValues(a[i] as Value, b[i] as Value) * (orders[i]?.descending ? -1 : 1);
      if (order !== 0) return order;
    }
    return 0;
  };
  return placed
    .sort((a, b) => compare(a.place, b.place))
    .filter(
      ({ place }) => !start || (start.before ? compare(place, start.values) >= 0 : compare(place, start.values) > 0),
    )
    .filter(({ place }) => !end || (end.before ? compare(place, end.values) < 0 : compare(place, end.values) <= 0))
    .slice(offset, limit === undefined ? undefined : offset + limit)
    .map(({ path }) => path);
}

function placeOf(path: string, fields: Fields, { path: field }: Order): Value | undefined {
  return field[0] === "__name__" ? new Reference(`${ROOT}/${path}`) : valueAt(fields, field);
}

const kind = (value: Value) =>
  isNumber(value)
    ? Number.isNaN(value)
      ? "NaN"
      : "number"
    : value === null
      ? "null"
      : isArray(value)
        ? "array"
        : typeof value;
const same = (a: Value, b: Value) => compareValues(a, b) === 0;
/** Where one of several is asked for, null and NaN are never it. */
const either = (a: Value, b: Value) => same(a, b) && b !== null && !Number.isNaN(b);

/** The documented meaning of each operator, by the number it has on the wire. */
const MEANING: Record<number, (actual: Value, value: Value) => boolean> = {
  1: (actual, value) => kind(actual) === kind(value) && compareValues(actual, value) < 0,
  2: (actual, value) => kind(actual) === kind(value) && compareValues(actual, value) <= 0,
  3: (actual, value) => kind(actual) === kind(value) && compareValues(actual, value) > 0,
  4: (actual, value) => kind(actual) === kind(value) && compareValues(actual, value) >= 0,
  5: same,
  6: (actual, value) => actual !== null && !same(actual, value),
  7: (actual, value) => isArray(actual) && actual.some((element) => either(element, value)),
  8: (actual, value) => (value as Value[]).some((item) => either(actual, item)),
  9: (actual, value) =>
    isArray(actual) && actual.some((element) => (value as Value[]).some((item) => either(element, item))),
  10: (actual, value) => actual !== null && (value as Value[]).every((item) => item !== null && !same(actual, item)),
};

function matches(fields: Fields, filter: Filter | undefined): boolean {
  if (!filter) return true;
  if (filter.compositeFilter) {
    const { op, filters = [] } = filter.compositeFilter;
    return op === 2 ? filters.some((part) => matches(fields, part)) : filters.every((part) => matches(fields, part));
  }
  if (!filter.fieldFilter) throw new Error("only composite and field filters here");
  const { field, op, value } = filter.fieldFilter;
  const actual = valueAt(fields, parseFieldPath(field.fieldPath));
  return actual !== undefined && value !== undefined && (MEANING[op] as (a: Value, b: Value) => boolean)(actual, value);
}

/** Few distinct values of every kind, so that ties, mixed types and missing fields come up all the time. */
const scalar = fc.constantFrom<Value>(null, Number.NaN, 0n, 1n, 1, 2n, 2.5, -1n, "", "a", "b", true, false);
const value = fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) });
const FIELDS = ["a", "b", "c.d"] as const;

const document = fc.record({ a: value, b: value, d: value }, { requiredKeys: [] }).map(({ a, b, d }) => {
  const fields: Fields = new Map();
  if (a !== undefined) fields.set("a", a);
  if (b !== undefined) fields.set("b", b);
  if (d !== undefined) fields.set("c", new Map([["d", d]]));
  return fields;
});

/** More than are simply sorted, so that the indexes are what is tested. */
const documents = fc
  .array(document, { minLength: 80, maxLength: 120 })
  .map((list): Documents => new Map(list.map((fields, i) => [`things/${(i * 7919) % 1000}`, fields])));

const field = fc.constantFrom(...FIELDS);
const comparison: fc.Arbitrary<Filter> = fc
  .oneof(
    { weight: 5, arbitrary: fc.tuple(field, fc.constantFrom(1, 2, 3, 4, 5, 5, 6, 7), scalar) },
    {
      weight: 2,
      arbitrary: fc.tuple(field, fc.constantFrom(8, 9, 10), fc.array(scalar, { minLength: 1, maxLength: 3 })),
    },
  )
  .map(([fieldPath, op, compared]) => ({ fieldFilter: { field: { fieldPath }, op, value: compared as Value } }));

const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    comparison,
    fc
      .record({ op: fc.constantFrom(1, 2), filters: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) })
      .map((compositeFilter): Filter => ({ compositeFilter })),
  ),
})).filter;

const orderBy = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...FIELDS, "__name__"), fc.constantFrom(1, 2)), {
    selector: ([path]) => path,
    maxLength: 3,
  })
  .map((orders) => [
    ...orders.filter(([path]) => path !== "__name__"),
    ...orders.filter(([path]) => path === "__name__"),
  ])
  .map((orders) => orders.map(([fieldPath, direction]) => ({ field: { fieldPath }, direction })));

const query = fc
  .record({
    where: fc.option(filter, { nil: undefined }),
    orderBy,
    offset: fc.constantFrom(0, 0, 0, 3),
    limit: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    start: fc.option(fc.record({ values: fc.array(scalar, { maxLength: 2 }), before: fc.boolean() }), {
      nil: undefined,
    }),
    end: fc.option(fc.record({ values: fc.array(scalar, { maxLength: 2 }), before: fc.boolean() }), { nil: undefined }),
  })
  .map(({ where, orderBy, offset, limit, start, end }): StructuredQuery => {
    const named = orderBy.findIndex(({ field: { fieldPath } }) => fieldPath === "__name__");
    const places = Math.max(0, named < 0 ? orderBy.length : named);
    const cursor = (bound: typeof start) => bound && { ...bound, values: bound.values.slice(0, places) };
    const [startAt, endAt] = [cursor(start), cursor(end)];
    return {
      from: [{ collectionId: "things" }],
      orderBy,
      offset,
      ...(where ? { where } : {}),
      ...(limit === undefined ? {} : { limit: { value: limit } }),
      ...(startAt && startAt.values.length > 0 ? { startAt } : {}),
      ...(endAt && endAt.values.length > 0 ? { endAt } : {}),
    };
  })
  .filter((candidate) => {
    try {
      parseQuery(ROOT, candidate);
      return true;
    } catch {
      return false;
    }
  });

describe("a query", () => {
  test("returns from indexes exactly what reading everything would, in the same order", () => {
    fc.assert(
      fc.property(documents, fc.array(query, { minLength: 1, maxLength: 5 }), (stored, queries) => {
        const database = databaseOf(stored);
        for (const one of queries) expect(run(database, one)).toEqual(expected(stored, one));
      }),
      { numRuns: 400 },
    );
  });

  test("sees every change at once, in indexes that were built before it", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.option(document, { nil: undefined }));
    fc.assert(
      fc.property(documents, query, fc.array(change, { minLength: 1, maxLength: 30 }), (stored, one, changes) => {
        const database = databaseOf(stored);
        run(database, one);
        const current = new Map(stored);
        for (const [id, fields] of changes) {
          put(database, `things/${id}`, fields ?? null);
          if (fields) current.set(`things/${id}`, fields);
          else current.delete(`things/${id}`);
        }
        expect(run(database, one)).toEqual(expected(current, one));
      }),
      { numRuns: 200 },
    );
  });

  test("at a time in the past returns what it would have returned then", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.option(document, { nil: undefined }));
    fc.assert(
      fc.property(documents, query, fc.array(change, { minLength: 1, maxLength: 30 }), (stored, one, changes) => {
        const database = databaseOf(stored);
        const then = database.tick();
        for (const [id, fields] of changes) put(database, `things/${id}`, fields ?? null);
        expect(run(database, one, then)).toEqual(expected(stored, one));
      }),
      { numRuns: 100 },
    );
  });

  test("over a collection group finds documents at every depth, in the order of their paths", () => {
    const paths = Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? `things/${i}` : `users/${i % 7}/things/${i}`));
    const stored = new Map(
      paths.map((path, i): [string, Fields] => [path, new Map<string, Value>([["a", BigInt(i % 4)]])]),
    );
    stored.set("users/1/others/x", new Map<string, Value>([["a", 1n]]));
    const database = databaseOf(stored);
    const found = run(database, { from: [{ collectionId: "things", allDescendants: true }] });
    expect(found).toEqual([...paths].sort((a, b) => compareSegments(a, b)));
    const below = runQuery(
      database,
      parseQuery(`${ROOT}/users/1`, { from: [{ collectionId: "things", allDescendants: true }] }),
    );
    expect(below.documents.map(({ path }) => path)).toEqual(found.filter((path) => path.startsWith("users/1/")));
  });
});

function compareSegments(a: string, b: string): number {
  const [x, y] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = compareStrings(x[i] as string, y[i] as string);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}
