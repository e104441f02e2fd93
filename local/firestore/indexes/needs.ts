import { type FieldPath, formatFieldPath, isDocumentName, lastSegment } from "../model/path.ts";
import type { Conjunction } from "../query/filter.ts";
import type { Query } from "../query/query.ts";
import type { QueryScope } from "./file.ts";

export interface SortedField {
  readonly path: FieldPath;
  readonly descending: boolean;
}

/** What one conjunction of a query asks of the indexes that serve it. */
export interface Needs {
  readonly collectionGroup: string;
  readonly scope: QueryScope;
  /** Fields that have one value throughout, in the order in which paths sort. */
  readonly equal: readonly FieldPath[];
  /** The array that holds a value. */
  readonly contains: FieldPath | undefined;
  /** What is sorted by where the fields above are fixed, without the name. Inequalities are among them. */
  readonly sorted: readonly SortedField[];
  /** Fields that are only added up, so that their order is of no account. */
  readonly added: readonly FieldPath[];
  /** Whether names descend; undefined where it is of no account. */
  readonly nameDescends: boolean | undefined;
}

/**
 * What each conjunction of a query needs, those that need the same once. A query over collections of any id needs none.
 * @param added the fields of sums and averages
 */
export function needsOf(query: Query, added: readonly FieldPath[] = []): Needs[] {
  if (query.scope.kind !== "collection" && query.scope.kind !== "group") return [];
  const distinct = new Map<string, Needs>();
  for (const conjunction of query.disjunctions) {
    const needs = needsOfConjunction(query, conjunction, added);
    distinct.set(JSON.stringify([needs.equal, needs.contains, needs.sorted]), needs);
  }
  return [...distinct.values()];
}

function needsOfConjunction(query: Query, conjunction: Conjunction, added: readonly FieldPath[]): Needs {
  const equal = new Map<string, FieldPath>();
  for (const { operator, path } of conjunction) {
    if (operator === "==" && !isDocumentName(path)) equal.set(formatFieldPath(path), path);
  }
  const isFixed = (path: FieldPath) => equal.has(formatFieldPath(path));
  const sorted = query.orders.filter(({ path }) => !isFixed(path) && !isDocumentName(path));
  const taken = new Set(sorted.map(({ path }) => formatFieldPath(path)));
  const more = new Map(added.map((path) => [formatFieldPath(path), path]));
  const rest = [...more].filter(([id, path]) => !isFixed(path) && !taken.has(id)).map(([, path]) => path);
  return {
    collectionGroup: query.scope.kind === "group" ? query.scope.id : lastSegment(query.scope.id),
    scope: query.scope.kind === "group" ? "COLLECTION_GROUP" : "COLLECTION",
    equal: [...equal].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path),
    contains: conjunction.find(({ operator }) => operator === "contains")?.path,
    sorted,
    added: rest,
    nameDescends: rest.length > 0 ? undefined : query.orders.at(-1)?.descending === true,
  };
}
