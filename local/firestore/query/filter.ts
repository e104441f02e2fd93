import { compareStrings, compareValues, equalValues, keyOf, kindOf } from "../model/order.ts";
import { type FieldPath, formatFieldPath, isDocumentName, parseFieldPath, parseParent } from "../model/path.ts";
import { isArray, Reference, type Value } from "../model/value.ts";
import { valueAt } from "../store/index.ts";
import type { Filter } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";

export type Operator = "<" | "<=" | ">" | ">=" | "==" | "!=" | "contains" | "in" | "contains-any" | "not-in";

/** One comparison of a query: a field (or the document's name) against a value, or a list of values. */
export interface Comparison {
  readonly path: FieldPath;
  readonly operator: Operator;
  readonly value: Value;
}

/** Comparisons that must all hold. A query's filter is a list of these, any of which may hold. */
export type Conjunction = readonly Comparison[];

/** What a comparison is made against: a document's fields and its full name. */
export interface Candidate {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Value>;
}

/** By the numbers of `StructuredQuery.FieldFilter.Operator`. */
const OPERATORS: readonly (Operator | undefined)[] = [
  undefined,
  "<",
  "<=",
  ">",
  ">=",
  "==",
  "!=",
  "contains",
  "in",
  "contains-any",
  "not-in",
];

/** By the numbers of `StructuredQuery.UnaryFilter.Operator`: is or is not, NaN or null. */
const UNARY: readonly (Pick<Comparison, "operator" | "value"> | undefined)[] = [
  undefined,
  undefined,
  { operator: "==", value: Number.NaN },
  { operator: "==", value: null },
  { operator: "!=", value: Number.NaN },
  { operator: "!=", value: null },
];

const AND = 1;
const OR = 2;
/** Source: https://firebase.google.com/docs/firestore/query-data/queries#query_limitations */
const MAX_DISJUNCTIONS = 30;
const MAX_NOT_IN = 10;
const MAX_FILTERS = 100;

/** A filter in disjunctive normal form. No filter: one conjunction of nothing. */
export function conjunctionsOf(filter: Filter | undefined): Conjunction[] {
  return filter ? normalize(filter, { count: 0 }) : [[]];
}

/** Takes `in` and `contains-any` apart, too. */
export function toDisjunctions(conjunctions: readonly Conjunction[]): Conjunction[] {
  const disjunctions = conjunctions.flatMap(unfold);
  if (disjunctions.length > MAX_DISJUNCTIONS) {
    throw invalidArgument(
      `The query has ${disjunctions.length} disjunctions in disjunctive normal form; at most ${MAX_DISJUNCTIONS} are supported.`,
    );
  }
  return disjunctions;
}

/** Every comparison of a filter, as written. */
export function comparisonsOf(filter: Filter | undefined): Comparison[] {
  if (!filter) return [];
  if (filter.compositeFilter) return (filter.compositeFilter.filters ?? []).flatMap(comparisonsOf);
  return [toComparison(filter)];
}

export function isInequality(operator: Operator): boolean {
  return !["==", "contains", "in", "contains-any"].includes(operator);
}

/** The paths that a filter's inequalities are about, in the order in which the service adds them to the sort order. */
export function inequalityPaths(filter: Filter | undefined): FieldPath[] {
  const paths = new Map<string, FieldPath>();
  for (const { path, operator } of comparisonsOf(filter)) {
    if (isInequality(operator)) paths.set(formatFieldPath(path), path);
  }
  return [...paths.values()].sort(comparePaths);
}

function comparePaths(a: FieldPath, b: FieldPath): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareStrings(a[i] as string, b[i] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function normalize(filter: Filter, seen: { count: number }): Conjunction[] {
  if (++seen.count > MAX_FILTERS) throw invalidArgument(`A query can have at most ${MAX_FILTERS} filters.`);
  if (!filter.compositeFilter) return [[toComparison(filter)]];
  const { op, filters = [] } = filter.compositeFilter;
  if (filters.length === 0 && op === OR) throw invalidArgument("An OR must hold at least one filter.");
  const parts = filters.map((part) => normalize(part, seen));
  if (op === OR) return parts.flat();
  if (op !== AND) throw invalidArgument("A composite filter must have an operator.");
  return parts.reduce(product, [[]]);
}

function product(left: readonly Conjunction[], right: readonly Conjunction[]): Conjunction[] {
  if (left.length * right.length > MAX_DISJUNCTIONS) {
    throw invalidArgument(`The query has more than ${MAX_DISJUNCTIONS} disjunctions in disjunctive normal form.`);
  }
  return left.flatMap((a) => right.map((b) => [...a, ...b]));
}

/** Takes the alternatives of `in` and `contains-any` apart into conjunctions of their own. Null and NaN are no alternative to anything. */
function unfold(conjunction: Conjunction): Conjunction[] {
  return conjunction.reduce<Conjunction[]>(
    (unfolded, comparison) =>
      product(
        unfolded,
        alternatives(comparison).map((one) => [one]),
      ),
    [[]],
  );
}

function alternatives(comparison: Comparison): Comparison[] {
  const { path, operator, value } = comparison;
  if (operator === "contains") return isPossible(value) ? [comparison] : [];
  if (operator !== "in" && operator !== "contains-any") return [comparison];
  const distinct = new Map((value as readonly Value[]).filter(isPossible).map((item) => [keyOf(item), item]));
  const single = operator === "in" ? "==" : "contains";
  return [...distinct.values()].map((item) => ({ path, operator: single, value: item }));
}

function isPossible(value: Value): boolean {
  return value !== null && !Number.isNaN(value);
}

function toComparison(filter: Filter): Comparison {
  if (filter.unaryFilter) {
    const unary = UNARY[filter.unaryFilter.op];
    if (!unary) throw invalidArgument("A unary filter must have an operator.");
    return checked({ path: parseFieldPath(filter.unaryFilter.field.fieldPath), ...unary });
  }
  if (!filter.fieldFilter) throw invalidArgument("A filter must be a composite, field or unary filter.");
  const { field, op, value } = filter.fieldFilter;
  const operator = OPERATORS[op];
  if (!operator) throw invalidArgument("A field filter must have an operator.");
  if (value === undefined) throw invalidArgument("A field filter must have a value.");
  return checked({ path: parseFieldPath(field.fieldPath), operator, value });
}

/** How many values the operators that take a list of them may be given. */
const MAX_VALUES: Partial<Record<Operator, number>> = {
  in: MAX_DISJUNCTIONS,
  "contains-any": MAX_DISJUNCTIONS,
  "not-in": MAX_NOT_IN,
};

function checked(comparison: Comparison): Comparison {
  const { path, operator, value } = comparison;
  const maxValues = MAX_VALUES[operator];
  if (maxValues !== undefined) checkList(operator, value, maxValues);
  if (isDocumentName(path)) checkNames(comparison);
  return comparison;
}

function checkNames({ operator, value }: Comparison): void {
  if (operator === "contains" || operator === "contains-any") {
    throw invalidArgument(`'${operator}' cannot be used on __name__.`);
  }
  for (const item of isArray(value) ? value : [value]) {
    if (!(item instanceof Reference)) throw invalidArgument("__key__ filter value must be a Key");
    parseParent(item.name);
  }
}

function checkList(operator: Operator, value: Value, maxValues: number): void {
  if (!isArray(value)) throw invalidArgument(`'${operator}' requires an ArrayValue.`);
  if (value.length === 0) throw invalidArgument(`'${operator}' requires a non-empty ArrayValue.`);
  if (value.length > maxValues) throw invalidArgument(`'${operator}' supports up to ${maxValues} comparison values.`);
}

/** Whether a document satisfies all comparisons. */
export function satisfies(candidate: Candidate, conjunction: Conjunction): boolean {
  return conjunction.every((comparison) => holds(candidate, comparison));
}

function holds(candidate: Candidate, { path, operator, value }: Comparison): boolean {
  const actual = isDocumentName(path) ? new Reference(candidate.name) : valueAt(candidate.fields, path);
  if (actual === undefined) return false;
  switch (operator) {
    case "==":
      return equalValues(actual, value);
    case "contains":
      return isArray(actual) && actual.some((element) => equalValues(element, value));
    case "in":
      return (value as readonly Value[]).some((item) => equalValues(actual, item));
    case "contains-any":
      return (
        isArray(actual) &&
        actual.some((element) => (value as readonly Value[]).some((item) => equalValues(element, item)))
      );
    case "!=":
      return actual !== null && !equalValues(actual, value);
    case "not-in":
      return actual !== null && !(value as readonly Value[]).some((item) => item === null || equalValues(actual, item));
    default:
      return inRange(actual, operator, value);
  }
}

/** Inequalities hold only between values of the same kind; nothing is larger or smaller than null or NaN. */
function inRange(actual: Value, operator: "<" | "<=" | ">" | ">=", value: Value): boolean {
  if (kindOf(actual).below !== kindOf(value).below) return false;
  const order = compareValues(actual, value);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  if (operator === ">") return order > 0;
  return order >= 0;
}
