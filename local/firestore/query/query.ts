import {
  checkSegment,
  type FieldPath,
  formatFieldPath,
  isDocumentName,
  joinPath,
  parseFieldPath,
  parseName,
  parseParent,
} from "../model/path.ts";
import { Reference, type Value } from "../model/value.ts";
import { isWide, type Scope } from "../store/index.ts";
import type { Cursor, StructuredQuery } from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";
import { type Conjunction, conjunctionsOf, inequalityPaths, toDisjunctions } from "./filter.ts";
import { checkCombinations } from "./restrictions.ts";

const DESCENDING = 2;
const MAX_ORDERS = 100;

/** One entry of a query's sort order; the last is always the document's name. */
export interface Order {
  readonly path: FieldPath;
  readonly descending: boolean;
}

/** A place in the sort order: in front of or behind the documents whose first values are these. */
export interface Bound {
  readonly values: readonly Value[];
  readonly before: boolean;
}

/** A structured query, understood: normalised filter, complete sort order, defaults filled in. */
export interface Query {
  /** `projects/p/databases/d` */
  readonly database: string;
  /** Path of the document that the query is below, "" for the root. */
  readonly parent: string;
  readonly scope: Scope;
  readonly disjunctions: readonly Conjunction[];
  readonly orders: readonly Order[];
  readonly start: Bound | undefined;
  readonly end: Bound | undefined;
  readonly offset: number;
  readonly limit: number | undefined;
  /** The fields to return; undefined for all. */
  readonly projection: readonly FieldPath[] | undefined;
}

/** Reads a request's query; refuses what the service refuses. @param parentName name of the document (or root) it is below */
export function parseQuery(parentName: string, structured: StructuredQuery | undefined): Query {
  if (!structured) throw invalidArgument("The request has no structured query.");
  if (structured.findNearest) throw new StatusError("UNIMPLEMENTED", "Vector search (find_nearest) is not supported.");
  const { database, path: parent } = parseParent(parentName);
  const scope = scopeOf(parent, structured);
  const conjunctions = conjunctionsOf(structured.where);
  checkCombinations(structured.where, conjunctions);
  const orders = completeOrders(structured);
  if (isWide(scope)) checkNamesOnly(orders, conjunctions);
  const names = (bound: Cursor | undefined) => boundOf(bound, orders, { database, scope });
  return {
    database,
    parent,
    scope,
    disjunctions: toDisjunctions(conjunctions),
    orders,
    start: names(structured.startAt),
    end: names(structured.endAt),
    offset: natural(structured.offset ?? 0, "offset"),
    limit: structured.limit ? natural(structured.limit.value ?? 0, "limit") : undefined,
    projection: structured.select ? projectionOf(structured.select.fields ?? []) : undefined,
  };
}

function scopeOf(parent: string, structured: StructuredQuery): Scope {
  const [selector, second] = structured.from ?? [];
  if (second) throw invalidArgument("A query can have at most one collection selector.");
  const id = selector?.collectionId ?? "";
  if (id === "") return { kind: selector?.allDescendants ? "all" : "children", id: "" };
  if (id.includes("/")) throw invalidArgument(`Collection id "${id}" is invalid because it contains "/".`);
  checkSegment(id);
  return selector?.allDescendants ? { kind: "group", id } : { kind: "collection", id: joinPath(parent, id) };
}

/** Over all collections there is no order but that of names. */
function checkNamesOnly(orders: readonly Order[], conjunctions: readonly Conjunction[]): void {
  if (orders.length > 1) throw invalidArgument("kind is required for all orders except __key__ ascending");
  if (conjunctions.flat().some(({ path }) => !isDocumentName(path))) {
    throw invalidArgument("kind is required for filters of fields");
  }
}

/** The explicit orders, the fields of inequalities that are not among them, and the name, each in the last order's direction. */
function completeOrders(structured: StructuredQuery): Order[] {
  const orders: Order[] = (structured.orderBy ?? []).map(({ field, direction }) => ({
    path: parseFieldPath(field.fieldPath),
    descending: direction === DESCENDING,
  }));
  if (orders.length > MAX_ORDERS) throw invalidArgument(`A query can have at most ${MAX_ORDERS} orders.`);
  const named = new Set<string>();
  for (const { path } of orders) {
    const name = formatFieldPath(path);
    if (named.has(name)) throw invalidArgument(`The query orders by "${name}" twice.`);
    named.add(name);
  }
  const descending = orders.at(-1)?.descending ?? false;
  for (const path of inequalityPaths(structured.where)) {
    if (!named.has(formatFieldPath(path)) && !isDocumentName(path)) orders.push({ path, descending });
  }
  const nameAt = orders.findIndex(({ path }) => isDocumentName(path));
  if (nameAt < 0) return [...orders, { path: ["__name__"], descending }];
  if (nameAt < orders.length - 1) throw invalidArgument("order by clause cannot contain more fields after the key");
  return orders;
}

function boundOf(
  cursor: Cursor | undefined,
  orders: readonly Order[],
  query: { database: string; scope: Scope },
): Bound | undefined {
  if (!cursor) return undefined;
  const values = cursor.values ?? [];
  if (values.length > orders.length) throw invalidArgument("A cursor has more values than the query has orders.");
  values.forEach((value, i) => {
    if (isDocumentName((orders[i] as Order).path)) checkNameCursor(value, query);
  });
  return { values, before: cursor.before ?? false };
}

function checkNameCursor(value: Value, { database, scope }: { database: string; scope: Scope }): void {
  if (!(value instanceof Reference)) throw invalidArgument("A cursor value for __name__ must be a reference.");
  const { database: other, path } = parseName(value.name);
  if (other !== database) throw invalidArgument("A cursor names a document of another database.");
  if (scope.kind === "collection" && !path.startsWith(`${scope.id}/`)) {
    throw invalidArgument(`A cursor names a document outside of collection "${scope.id}".`);
  }
}

function projectionOf(fields: readonly { fieldPath: string }[]): FieldPath[] {
  return fields.map(({ fieldPath }) => parseFieldPath(fieldPath)).filter((path) => !isDocumentName(path));
}

function natural(value: number, what: string): number {
  if (value < 0) throw invalidArgument(`${what} is negative.`);
  return value;
}
