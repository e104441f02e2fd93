import { compareStrings } from "../../firestore/model/order.ts";
import { MapDiff, RulesError, type RulesList, type RulesMap, RulesSet, type RulesValue } from "../value.ts";
import { Comparison } from "./equality.ts";
import { method, type Operations } from "./signature.ts";
import { hasType } from "./types.ts";

/**
 * Maps and their differences.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.Map and rules.MapDiff
 */

export const MAP_METHODS: Operations<RulesMap> = new Map([
  ["diff", method(["map"], (map: RulesMap, other) => new MapDiff(map, other))],
  ["get", method(["string|list", "any"], get)],
  ["keys", method([], (map: RulesMap) => [...map.keys()].sort(compareStrings))],
  ["size", method([], (map: RulesMap) => BigInt(map.size))],
  ["values", method([], (map: RulesMap) => [...map.values()])],
]);

/** The value at a key, or at a list of keys through maps within each other; the default if there is none. */
function get(map: RulesMap, key: string | RulesList, otherwise: RulesValue): RulesValue {
  const path = typeof key === "string" ? [key] : key;
  if (path.length === 0) throw new RulesError("Unexpected argument: the list of keys is empty.");
  let value: RulesValue | undefined = map;
  for (const name of path) {
    if (typeof name !== "string") throw new RulesError("Unexpected argument: a key must be a string.");
    value = value !== undefined && hasType(value, "map") ? value.get(name) : undefined;
  }
  return value === undefined ? otherwise : value;
}

export const MAP_DIFF_METHODS: Operations<MapDiff> = new Map([
  ["addedKeys", method([], (diff: MapDiff) => new RulesSet(onlyIn(diff.left, diff.right)))],
  ["affectedKeys", method([], affectedKeys)],
  ["changedKeys", method([], (diff: MapDiff) => new RulesSet(shared(diff, false)))],
  ["removedKeys", method([], (diff: MapDiff) => new RulesSet(onlyIn(diff.right, diff.left)))],
  ["unchangedKeys", method([], (diff: MapDiff) => new RulesSet(shared(diff, true)))],
]);

function affectedKeys(diff: MapDiff): RulesSet {
  return new RulesSet([...onlyIn(diff.left, diff.right), ...onlyIn(diff.right, diff.left), ...shared(diff, false)]);
}

function onlyIn(map: RulesMap, other: RulesMap): string[] {
  return [...map.keys()].filter((key) => !other.has(key));
}

/** The keys that both maps have, with equal values or with different ones. */
function shared({ left, right }: MapDiff, equal: boolean): string[] {
  const comparison = new Comparison();
  const keyOf = (map: RulesMap, name: string) => comparison.key(map.get(name) ?? null, "set");
  return [...left.keys()].filter((name) => right.has(name) && (keyOf(left, name) === keyOf(right, name)) === equal);
}
