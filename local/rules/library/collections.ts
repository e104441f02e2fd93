import { RulesError, type RulesList, RulesSet, type RulesValue } from "../value.ts";
import { toText } from "./conversions.ts";
import { Comparison } from "./equality.ts";
import { LIMITS } from "./limits.ts";
import { method, type Operations } from "./signature.ts";
import { limited } from "./strings.ts";

/**
 * Lists and sets.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.List and rules.Set
 */

/** A set of the different values among some, the first of those that are equal. */
export function setOf(values: readonly RulesValue[]): RulesSet {
  return new RulesSet([...new Comparison().members(values).values()]);
}

/** Whether `value in list`. */
export function listHas(list: RulesList, value: RulesValue): boolean {
  const comparison = new Comparison();
  const key = comparison.key(value, "element");
  return key !== undefined && list.some((item) => comparison.key(item, "element") === key);
}

/** Whether `value in set`. */
export function setHas(set: RulesSet, value: RulesValue): boolean {
  const comparison = new Comparison();
  return comparison.members(set.items).has(comparison.key(value, "set") ?? "");
}

/** The elements of a list that are, or are not, in another list. */
function filter(list: RulesList, other: RulesList, kept: boolean): RulesList {
  const comparison = new Comparison();
  const keys = comparison.elements(other);
  return list.filter((item) => keys.has(comparison.key(item, "element") ?? "") === kept);
}

export const LIST_METHODS: Operations<RulesList> = new Map([
  ["concat", method(["list"], concat)],
  ["hasAll", method(["list"], (list: RulesList, other) => filter(other, list, false).length === 0)],
  ["hasAny", method(["list"], (list: RulesList, other) => filter(list, other, true).length > 0)],
  ["hasOnly", method(["list"], (list: RulesList, other) => filter(list, other, false).length === 0)],
  ["join", method(["string"], join)],
  ["removeAll", method(["list"], (list: RulesList, other) => filter(list, other, false))],
  ["size", method([], (list: RulesList) => BigInt(list.length))],
  ["toSet", method([], (list: RulesList) => setOf(list))],
]);

function concat(list: RulesList, other: RulesList): RulesList {
  if (list.length + other.length > LIMITS.items) throw new RulesError("The list is too long.");
  return [...list, ...other];
}

/** The elements as `string()` gives them, with a separator between them. */
function join(list: RulesList, separator: string): string {
  let joined = "";
  for (const [i, item] of list.entries()) joined = limited(joined + (i > 0 ? separator : "") + toText(item));
  return joined;
}

type Members = ReadonlyMap<string, RulesValue>;

/** The members of two sets, or of a set and a list. */
function compare(set: RulesSet, other: RulesSet | RulesList): [Members, Members] {
  const comparison = new Comparison();
  const items = other instanceof RulesSet ? other.items : other;
  return [comparison.members(set.items), comparison.members(items)];
}

function without(members: Members, others: Members): RulesValue[] {
  return [...members].filter(([key]) => !others.has(key)).map(([, value]) => value);
}

export const SET_METHODS: Operations<RulesSet> = new Map([
  ["difference", method(["set"], difference)],
  ["hasAll", method(["list|set"], hasAll)],
  ["hasAny", method(["list|set"], hasAny)],
  ["hasOnly", method(["list|set"], hasOnly)],
  ["intersection", method(["set"], intersection)],
  ["size", method([], (set: RulesSet) => BigInt(set.items.length))],
  ["union", method(["set"], (set: RulesSet, other) => setOf([...set.items, ...other.items]))],
]);

function difference(set: RulesSet, other: RulesSet): RulesSet {
  return new RulesSet(without(...compare(set, other)));
}

function intersection(set: RulesSet, other: RulesSet): RulesSet {
  const [members, others] = compare(set, other);
  return new RulesSet([...members].filter(([key]) => others.has(key)).map(([, value]) => value));
}

function hasAll(set: RulesSet, other: RulesSet | RulesList): boolean {
  const [members, others] = compare(set, other);
  return without(others, members).length === 0;
}

function hasAny(set: RulesSet, other: RulesSet | RulesList): boolean {
  const [members, others] = compare(set, other);
  return without(members, others).length < members.size;
}

function hasOnly(set: RulesSet, other: RulesSet | RulesList): boolean {
  const [members, others] = compare(set, other);
  return without(members, others).length === 0;
}
