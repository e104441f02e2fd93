import { after, before, KeyWriter, keyOf, kindOf, type SortKey } from "../model/order.ts";
import { type FieldPath, formatFieldPath, isDocumentName, parseName } from "../model/path.ts";
import { Reference, type Value } from "../model/value.ts";
import { type IndexField, nameKey, type Scope } from "../store/index.ts";
import type { Comparison, Conjunction } from "./filter.ts";
import type { Bound, Order, Query } from "./query.ts";

/** How to answer one conjunction of a query: which index to read, from where to where, and what is left to check. */
export interface Plan {
  /** Empty: the documents in the order of their names. */
  readonly fields: readonly IndexField[];
  readonly low: SortKey;
  readonly high: SortKey;
  readonly reverse: boolean;
  /** Comparisons that the range does not already guarantee. */
  readonly residual: Conjunction;
  /** Whether the range respects the query's cursors; otherwise each document's place must be compared. */
  readonly boundsApplied: boolean;
}

/** A place between values: in front of or behind everything that starts with a key. */
interface Position {
  readonly key: SortKey;
  readonly behind: boolean;
}

interface Range {
  readonly low: Position | undefined;
  readonly high: Position | undefined;
}

/**
 * Plans a conjunction as production would serve it from one composite index: fields compared for equality first, then the sort
 * order, of which the first field carries the range. Directions are turned so that the name is ascending, and the scan
 * runs backwards where the query wants it descending.
 */
export function plan(query: Query, conjunction: Conjunction): Plan {
  const equalities = conjunction.filter(({ operator, path }) => operator === "==" && !isDocumentName(path));
  const fixed = new Map(equalities.map((equality) => [formatFieldPath(equality.path), equality]));
  const contains = conjunction.find(({ operator }) => operator === "contains");
  const sorted = query.orders.filter(({ path }) => !fixed.has(formatFieldPath(path)));
  const reverse = (query.orders.at(-1) as Order).descending;
  const fields: IndexField[] = [];
  const prefix = new KeyWriter();
  for (const [, { path, value }] of [...fixed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    fields.push({ path, kind: "ascending" });
    prefix.value(value);
  }
  if (contains) {
    fields.push({ path: contains.path, kind: "contains" });
    prefix.value(contains.value);
  }
  for (const { path, descending } of sorted) {
    if (!isDocumentName(path)) fields.push({ path, kind: descending === reverse ? "ascending" : "descending" });
  }
  const start = prefix.key();
  const first = sorted[0] as Order;
  const ranged = conjunction.filter((comparison) => isRange(comparison) && samePath(comparison.path, first.path));
  const turned = first.descending !== reverse;
  const ranges = ranged.map((comparison) => direct(rangeOf(comparison, query.scope), turned));
  const boundsApplied = sorted.length === query.orders.length;
  if (boundsApplied) ranges.push(...cursorRanges(query, reverse));
  const guaranteed = new Set<Comparison>([...fixed.values(), ...ranged]);
  if (contains) guaranteed.add(contains);
  return {
    fields,
    low: ranges.reduce((low, { low: at }) => later(low, place(start, at, before)), before(start)),
    high: ranges.reduce((high, { high: at }) => earlier(high, place(start, at, after)), after(start)),
    reverse,
    residual: conjunction.filter((comparison) => !guaranteed.has(comparison)),
    boundsApplied,
  };
}

/** The key of a document's place in a query's sort order, or undefined where it lacks a field of the order. */
export function sortKeyOf(
  query: Query,
  path: string,
  fieldAt: (path: FieldPath) => Value | undefined,
): SortKey | undefined {
  const name = nameKey(query.scope.kind, path);
  const writer = new KeyWriter();
  for (const order of query.orders) {
    if (isDocumentName(order.path)) {
      writer.directedKey(name, order.descending);
      continue;
    }
    const value = fieldAt(order.path);
    if (value === undefined) return undefined;
    writer.directed(value, order.descending);
  }
  return writer.key();
}

/** The query's cursors as the places that sort keys (see {@link sortKeyOf}) must lie between. */
export function cursorPlaces(query: Query): { low: SortKey; high: SortKey } {
  const low = query.start ? boundKey(query, query.start, false) : undefined;
  const high = query.end ? boundKey(query, query.end, false) : undefined;
  return { low: low ? text(low) : "", high: high ? text(high) : after("") };
}

function cursorRanges(query: Query, reverse: boolean): Range[] {
  const start = query.start && boundKey(query, query.start, reverse);
  const end = query.end && boundKey(query, query.end, reverse);
  return [reverse ? { low: end, high: start } : { low: start, high: end }];
}

/** A cursor in key space; `reverse` turns it into the space of an index that is read backwards. */
function boundKey(query: Query, bound: Bound, reverse: boolean): Position {
  const names = bound.values.map((value, i) =>
    isDocumentName((query.orders[i] as Order).path) ? referenceKey(value, query.scope) : undefined,
  );
  const writer = new KeyWriter();
  bound.values.forEach((value, i) => {
    const descending = (query.orders[i] as Order).descending !== reverse;
    const name = names[i];
    if (name !== undefined) writer.directedKey(name, descending);
    else writer.directed(value, descending);
  });
  const behind = !bound.before;
  return { key: writer.key(), behind: reverse ? !behind : behind };
}

function isRange({ operator }: Comparison): boolean {
  return operator === "<" || operator === "<=" || operator === ">" || operator === ">=";
}

function samePath(a: FieldPath, b: FieldPath): boolean {
  return formatFieldPath(a) === formatFieldPath(b);
}

/** The range of an inequality in ascending order; between values of its kind only. */
function rangeOf({ path, operator, value }: Comparison, scope: Scope): Range {
  const name = isDocumentName(path);
  const key = name ? referenceKey(value, scope) : keyOf(value);
  const kind = name ? undefined : kindOf(value);
  const low: Position | undefined = kind && { key: kind.below, behind: true };
  const high: Position | undefined = kind && { key: kind.above, behind: false };
  switch (operator) {
    case "<":
      return { low, high: { key, behind: false } };
    case "<=":
      return { low, high: { key, behind: true } };
    case ">":
      return { low: { key, behind: true }, high };
    default:
      return { low: { key, behind: false }, high };
  }
}

function referenceKey(value: Value, scope: Scope): SortKey {
  if (!(value instanceof Reference)) throw new TypeError("a name is compared with something that is no reference");
  return nameKey(scope.kind, parseName(value.name).path);
}

/** Turns a range round where its field is kept in descending order. */
function direct(range: Range, turned: boolean): Range {
  if (!turned) return range;
  return { low: range.high && turn(range.high), high: range.low && turn(range.low) };
}

function turn({ key, behind }: Position): Position {
  const writer = new KeyWriter();
  writer.directedKey(key, true);
  return { key: writer.key(), behind: !behind };
}

function text({ key, behind }: Position): SortKey {
  return behind ? after(key) : before(key);
}

function place(prefix: SortKey, at: Position | undefined, otherwise: (key: SortKey) => SortKey): SortKey {
  return at ? prefix + text(at) : otherwise(prefix);
}

function later(a: SortKey, b: SortKey): SortKey {
  return a > b ? a : b;
}

function earlier(a: SortKey, b: SortKey): SortKey {
  return a < b ? a : b;
}
