import type { Query } from "../query/query.ts";
import { parseQuery } from "../query/query.ts";
import type { Filter, StructuredQuery } from "../wire/messages.ts";
import { IndexDefinitions } from "./definitions.ts";
import { IndexesFile } from "./file.ts";
import { type MissingIndex, missingIndex } from "./missing.ts";
import { needsOf } from "./needs.ts";
import { serve } from "./serve.ts";

/** For tests: queries and indexes in few words. */

export const DATABASE = "projects/p/databases/(default)";

/** By the numbers of `StructuredQuery.FieldFilter.Operator`. */
const OPERATORS = { "<": 1, "<=": 2, ">": 3, ">=": 4, "==": 5, "!=": 6, contains: 7, in: 8, any: 9, "not-in": 10 };

type Condition = readonly [path: string, operator: keyof typeof OPERATORS, value: bigint | readonly bigint[]];

export function where(...conditions: readonly Condition[]): Filter {
  const filters = conditions.map(([fieldPath, operator, value]): Filter => {
    return { fieldFilter: { field: { fieldPath }, op: OPERATORS[operator], value } };
  });
  return { compositeFilter: { op: 1, filters } };
}

export function or(...filters: readonly Filter[]): Filter {
  return { compositeFilter: { op: 2, filters } };
}

/** @param orders such as `at` and `at desc` */
export function find(filter: Filter | undefined, ...orders: readonly string[]): StructuredQuery {
  return {
    from: [{ collectionId: "things" }],
    ...(filter ? { where: filter } : {}),
    orderBy: orders.map((order) => {
      const [fieldPath = "", direction] = order.split(" ");
      return { field: { fieldPath }, direction: direction === "desc" ? 2 : 1 };
    }),
  };
}

export function inGroup(query: StructuredQuery): StructuredQuery {
  return { ...query, from: [{ collectionId: "things", allDescendants: true }] };
}

export function parse(query: StructuredQuery): Query {
  return parseQuery(`${DATABASE}/documents`, query);
}

/** A composite index, such as `tags contains, at desc`. */
export function composite(text: string, queryScope = "COLLECTION") {
  const fields = text.split(", ").map((field) => {
    const [fieldPath, mode] = field.split(" ");
    if (mode === "contains") return { fieldPath, arrayConfig: "CONTAINS" };
    return { fieldPath, order: mode === "desc" ? "DESCENDING" : "ASCENDING" };
  });
  return { collectionGroup: "things", queryScope, fields };
}

/** An override, with the single-field indexes that the field is to have, such as `asc` and `group desc`. */
export function override(fieldPath: string, ...indexes: readonly string[]) {
  return {
    collectionGroup: "things",
    fieldPath,
    indexes: indexes.map((index) => {
      const mode = index.split(" ").at(-1);
      const queryScope = index.startsWith("group ") ? "COLLECTION_GROUP" : "COLLECTION";
      if (mode === "contains") return { arrayConfig: "CONTAINS", queryScope };
      return { order: mode === "desc" ? "DESCENDING" : "ASCENDING", queryScope };
    }),
  };
}

/** The first index that a query lacks, in the words of {@link composite} or of an override; undefined if it is served. */
export function lacks(
  query: StructuredQuery,
  file: { indexes?: object[]; fieldOverrides?: object[] },
  added: readonly string[] = [],
): string | undefined {
  const definitions = new IndexDefinitions(IndexesFile.parse(file));
  const paths = added.map((path) => path.split("."));
  const unserved = needsOf(parse(query), paths).find((needs) => !serve(needs, definitions));
  return unserved && inWords(missingIndex(unserved, definitions));
}

function inWords(missing: MissingIndex): string {
  if (missing.kind === "single") {
    const scope = missing.scope === "COLLECTION_GROUP" ? "group " : "";
    return `${missing.override.fieldPath}: ${scope}${word(missing.mode)}`;
  }
  const fields = missing.index.fields.map(({ fieldPath, order, arrayConfig }) => {
    const mode = word(order ?? arrayConfig ?? "");
    return mode === "asc" ? fieldPath : `${fieldPath} ${mode}`;
  });
  return `${missing.index.queryScope === "COLLECTION_GROUP" ? "group " : ""}${fields.join(", ")}`;
}

function word(mode: string): string {
  return { ASCENDING: "asc", DESCENDING: "desc" }[mode] ?? "contains";
}
