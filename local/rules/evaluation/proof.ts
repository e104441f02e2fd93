import type { BinaryOperator } from "../language/syntax.ts";
import { callMethod } from "../library/methods.ts";
import { binary, equalValues, isType } from "../library/operators.ts";
import { RulesError, RulesSet, type RulesValue } from "../value.ts";
import { containedIn, type Fact, isMap, Unknown, Unproven, type Value } from "./unknown.ts";

type Order = "<" | "<=" | ">" | ">=";

const MIRRORED: Readonly<Record<Order, Order>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** An operation of which an operand is not settled: what it gives for all possible results. Throws {@link Unproven}. */
export function proveBinary(operator: BinaryOperator, left: Value, right: Value): RulesValue {
  switch (operator) {
    case "==":
      return proven(equal(left, right));
    case "!=":
      return !proven(equal(left, right));
    case "<":
    case "<=":
    case ">":
    case ">=":
      return proven(ordered(operator, left, right));
    case "in":
      return proven(within(left, right));
    default:
      throw new Unproven();
  }
}

function proven(result: boolean | undefined): boolean {
  if (result === undefined) throw new Unproven();
  return result;
}

/** True or false if it is so for all possible results, otherwise undefined. */
function equal(left: Value, right: Value): boolean | undefined {
  if (left instanceof Unknown && right instanceof Unknown) return left === right && isIdentity(left) ? true : undefined;
  if (left instanceof Unknown) return equalToKnown(left, right as RulesValue);
  if (right instanceof Unknown) return equalToKnown(right, left);
  return equalValues(left, right);
}

/** Ids and paths of documents equal themselves; a field could be NaN, which does not. */
function isIdentity({ example, facts }: Unknown): boolean {
  return example !== undefined && facts.length === 0;
}

function equalToKnown(unknown: Unknown, value: RulesValue): boolean | undefined {
  if (value === null && isNeverNull(unknown)) return false;
  if (unknown.facts.some((fact) => excludes(fact, value))) return false;
  const only = unknown.facts.find(({ operator }) => operator === "in")?.value;
  if (Array.isArray(only) && only.length > 0 && only.every((item: RulesValue) => equalValues(item, value))) return true;
  return undefined;
}

/** Firestore finds no nulls for `!=` and `not-in`, and for ranges only where the bound is null. */
function isNeverNull({ example, facts }: Unknown): boolean {
  if (example !== undefined) return example !== null;
  return facts.some(({ operator }) => operator === "!=" || operator === "not-in");
}

/** Whether a field of which the fact holds cannot have this value. */
function excludes({ operator, value: bound }: Fact, value: RulesValue): boolean {
  switch (operator) {
    case "!=":
      return equalValues(bound, value);
    case "not-in":
      return Array.isArray(bound) && bound.some((item: RulesValue) => equalValues(item, value));
    case "in":
      return Array.isArray(bound) && !bound.some((item: RulesValue) => equalValues(item, value));
    case "array-contains":
      return !Array.isArray(value) || !value.some((item: RulesValue) => equalValues(item, bound));
    case "array-contains-any":
      return !Array.isArray(value);
    case "==":
      return !equalValues(bound, value);
    default:
      return holds(operator, value, bound) === false;
  }
}

function ordered(operator: Order, left: Value, right: Value): boolean | undefined {
  if (left instanceof Unknown && right instanceof Unknown) return undefined;
  if (right instanceof Unknown) return orderedAgainst(MIRRORED[operator], right, left as RulesValue);
  if (left instanceof Unknown) return orderedAgainst(operator, left, right);
  return holds(operator, left, right);
}

function orderedAgainst(operator: Order, { facts }: Unknown, value: RulesValue): boolean | undefined {
  for (const fact of facts) {
    const result = orderedBy(fact, operator, value);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** What a fact about x says of `x operator value`. */
function orderedBy(fact: Fact, operator: Order, value: RulesValue): boolean | undefined {
  switch (fact.operator) {
    case ">":
    case ">=":
      return above(fact.operator === ">", compare(fact.value, value), operator);
    case "<":
    case "<=":
      return above(fact.operator === "<", compare(value, fact.value), MIRRORED[operator]);
    case "in":
      return unanimous(fact.value, (item) => holds(operator, item, value));
    default:
      return undefined;
  }
}

/**
 * x lies above a bound (`strict`: not on it), which compares to a value as `order`. Whether `x operator value`.
 * For bounds from above everything is mirrored.
 */
function above(strict: boolean, order: number | undefined, operator: Order): boolean | undefined {
  if (order === undefined || order < 0) return undefined;
  const beyond = order > 0 || strict;
  if (operator === ">=") return true;
  if (operator === "<") return false;
  if (!beyond) return undefined;
  return operator === ">";
}

function compare(left: RulesValue, right: RulesValue): number | undefined {
  if (holds("<", left, right)) return -1;
  if (holds(">", left, right)) return 1;
  return holds("<=", left, right) ? 0 : undefined;
}

function holds(operator: Order, left: RulesValue, right: RulesValue): boolean | undefined {
  try {
    return binary(operator, left, right) === true;
  } catch (error) {
    if (error instanceof RulesError) return undefined;
    throw error;
  }
}

function unanimous(values: RulesValue, test: (value: RulesValue) => boolean | undefined): boolean | undefined {
  if (!Array.isArray(values) || values.length === 0) return undefined;
  const results = new Set(values.map((value: RulesValue) => test(value)));
  return results.size === 1 ? [...results][0] : undefined;
}

function within(item: Value, collection: Value): boolean | undefined {
  if (collection instanceof Unknown) return item instanceof Unknown ? undefined : holdsItem(collection, item);
  const candidates = itemsOf(collection);
  if (!candidates || !(item instanceof Unknown)) return undefined;
  const options = item.facts.find(({ operator }) => operator === "in")?.value;
  if (Array.isArray(options) && options.every((option: RulesValue) => includes(candidates, option))) return true;
  const results = candidates.map((candidate) => equal(item, candidate));
  if (results.includes(true)) return true;
  return results.every((result) => result === false) ? false : undefined;
}

function holdsItem(collection: Unknown, item: RulesValue): true | undefined {
  if (typeof item === "string" && collection.fields.has(item)) return true;
  return includes(containedIn(collection), item) ? true : undefined;
}

function itemsOf(collection: RulesValue): readonly RulesValue[] | undefined {
  if (collection instanceof RulesSet) return collection.items;
  if (isMap(collection)) return [...collection.keys()];
  return Array.isArray(collection) ? collection : undefined;
}

function includes(values: readonly RulesValue[], wanted: RulesValue): boolean {
  return values.some((value) => equalValues(value, wanted));
}

/** Whether a value that is not settled is of a type. */
export function proveType({ example }: Unknown, type: string): boolean {
  if (example === undefined) throw new Unproven();
  const number = typeof example === "number" || typeof example === "bigint";
  if (number && (type === "int" || type === "float")) throw new Unproven();
  return isType(example, type);
}

/** A method's call of which the receiver or an argument is not settled. */
export function proveMethod(target: Value, name: string, values: readonly Value[]): Value {
  const [first] = values;
  if (target instanceof Unknown) return methodOfUnknown(target, name, values);
  if (name === "hasAny" && first instanceof Unknown) {
    const items = itemsOf(target) ?? [];
    return provenTrue(containedIn(first).some((value) => includes(items, value)));
  }
  throw new Unproven();
}

function methodOfUnknown(target: Unknown, name: string, values: readonly Value[]): Value {
  const [first] = values;
  switch (name) {
    case "keys":
      return keysOf(target);
    case "toSet":
      return target;
    case "get":
      if (values.length !== 2 || first === undefined || first instanceof Unknown) throw new Unproven();
      return get(target, first);
    case "hasAll":
    case "hasAny":
      if (values.length !== 1 || first === undefined || first instanceof Unknown) throw new Unproven();
      return provenTrue(name === "hasAny" ? hasAny(target, first) : hasAll(target, first));
    default:
      throw new Unproven();
  }
}

function provenTrue(result: boolean): true {
  if (!result) throw new Unproven();
  return true;
}

function keysOf({ fields }: Unknown): Unknown {
  return new Unknown({
    facts: [...fields.keys()].map((value) => ({ operator: "array-contains" as const, value })),
    example: [],
  });
}

function hasAll(target: Unknown, wanted: RulesValue): boolean {
  const items = itemsOf(wanted);
  return items?.every((item) => includes(containedIn(target), item)) ?? false;
}

function hasAny(target: Unknown, wanted: RulesValue): boolean {
  const items = itemsOf(wanted) ?? [];
  if (containedIn(target).some((value) => includes(items, value))) return true;
  return target.facts.some(
    ({ operator, value }) =>
      operator === "array-contains-any" &&
      Array.isArray(value) &&
      value.every((option: RulesValue) => includes(items, option)),
  );
}

/** `map.get(key, otherwise)`, where the key can be a list of keys into maps in maps. */
function get(target: Unknown, key: RulesValue): Value {
  const keys = Array.isArray(key) ? key : [key];
  let found: Value = target;
  for (const name of keys as readonly RulesValue[]) {
    if (typeof name !== "string") throw new Unproven();
    if (found instanceof Unknown) found = found.fields.get(name) ?? fail();
    else found = callMethod(found, "get", [name, MISSING]);
    if (found === MISSING) throw new Unproven();
  }
  return found;
}

const MISSING = new RulesSet([]);

function fail(): never {
  throw new Unproven();
}
