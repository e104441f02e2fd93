import { compareStrings } from "../../firestore/model/order.ts";
import { RulesError, type RulesList, type RulesPath, type RulesValue } from "../value.ts";
import { listHas, setHas } from "./collections.ts";
import { equalValues } from "./equality.ts";
import { type ArithmeticOperator, calculate, negate } from "./numbers.ts";
import { limited } from "./strings.ts";
import { add, nanosOf, subtract } from "./time.ts";
import { hasType, isNumber, notFound, type TypeName, typeOf, unsupported } from "./types.ts";

export { equalValues } from "./equality.ts";
export { isType } from "./types.ts";

type OrderOperator = "<" | "<=" | ">" | ">=";
export type BinaryOperator = "==" | "!=" | OrderOperator | ArithmeticOperator | "in";

/**
 * `left operator right`; `&&` and `||` are the language's own.
 * @throws RulesError if the operator does not take such values, or the result does not fit
 */
export function binary(operator: BinaryOperator, left: RulesValue, right: RulesValue): RulesValue {
  switch (operator) {
    case "==":
      return equalValues(left, right);
    case "!=":
      return !equalValues(left, right);
    case "in":
      return isIn(left, right);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isOrdered(operator, left, right);
    default:
      return arithmetic(operator, left, right);
  }
}

/** `!value` or `-value`. @throws RulesError unless it is a boolean, or a number that has a counterpart */
export function unary(operator: "!" | "-", value: RulesValue): RulesValue {
  if (operator === "-") return negate(value, typeOf(value));
  if (typeof value !== "boolean") throw unsupported(`!${typeOf(value)}`, "!bool");
  return !value;
}

function arithmetic(operator: ArithmeticOperator, left: RulesValue, right: RulesValue): RulesValue {
  const result = isNumber(left) && isNumber(right) ? calculate(operator, left, right) : combine(operator, left, right);
  if (result === undefined) throw unsupported(`${typeOf(left)} ${operator} ${typeOf(right)}`);
  return result;
}

/** What `+` and `-` do for other values than numbers, if anything. */
function combine(operator: ArithmeticOperator, left: RulesValue, right: RulesValue): RulesValue | undefined {
  if (operator === "+" && typeof left === "string" && typeof right === "string") return limited(left + right);
  if (operator !== "+" && operator !== "-") return undefined;
  if (!hasType(left, "timestamp") && !hasType(left, "duration")) return undefined;
  if (!hasType(right, "timestamp") && !hasType(right, "duration")) return undefined;
  return operator === "+" ? add(left, right) : subtract(left, right);
}

function isOrdered(operator: OrderOperator, left: RulesValue, right: RulesValue): boolean {
  if (isNumber(left) && isNumber(right)) return inOrder(operator, left, right);
  if (typeof left === "string" && typeof right === "string") return inOrder(operator, compareStrings(left, right), 0);
  if (hasType(left, "timestamp") && hasType(right, "timestamp"))
    return inOrder(operator, nanosOf(left), nanosOf(right));
  if (hasType(left, "duration") && hasType(right, "duration")) return inOrder(operator, nanosOf(left), nanosOf(right));
  throw unsupported(`${typeOf(left)} ${operator} ${typeOf(right)}`);
}

function inOrder(operator: OrderOperator, left: bigint | number, right: bigint | number): boolean {
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  return operator === ">" ? left > right : left >= right;
}

function isIn(value: RulesValue, collection: RulesValue): boolean {
  if (collection === null) throw nullError();
  if (hasType(collection, "list")) return listHas(collection, value);
  if (hasType(collection, "set")) return setHas(collection, value);
  if (!hasType(collection, "map")) throw notFound("in");
  if (typeof value !== "string") throw unsupported(`map.in(${typeOf(value)})`, "map.in(string)");
  return collection.has(value);
}

/**
 * `value[key]`: an element of a list, a character of a string, a field of a map; a segment of a path by its index, or by the name of
 * the wildcard that it was bound to.
 * @throws RulesError if there is none
 */
export function index(value: RulesValue, key: RulesValue): RulesValue {
  if (value === null) throw nullError();
  if (hasType(value, "list")) return at(value, key, "list");
  if (typeof value === "string") return value.charAt(position(key, value.length, "string"));
  if (hasType(value, "path")) return typeof key === "string" ? binding(value, key) : at(value.segments, key, "path");
  if (!hasType(value, "map")) throw notFound("[]");
  if (typeof key !== "string") throw unsupported(`map[${typeOf(key)}]`, "map[string]");
  return field(value, key);
}

function at(items: RulesList, key: RulesValue, type: TypeName): RulesValue {
  return items[position(key, items.length, type)] as RulesValue;
}

function position(key: RulesValue, size: number, type: TypeName): number {
  if (typeof key !== "bigint") throw unsupported(`${type}[${typeOf(key)}]`, `${type}[int]`);
  return checkIndex(key, size);
}

function checkIndex(index: bigint, size: number): number {
  if (index < 0n || index >= BigInt(size)) {
    throw new RulesError(`Index out of bound error. Index: [${index}] , size: [${size}].`);
  }
  return Number(index);
}

/**
 * `value[from:to]`: a part of a list or a string, without what is at `to`. Its first and its last position must exist in the value, so
 * there are empty parts in the middle, but not at the very beginning or end.
 * Source: https://github.com/davideast/pyric/tree/main/packages/conformance/observations/storage-rules (list-map-literals-and-slice)
 * @throws RulesError if the range is not within the value
 */
export function range(value: RulesValue, from: RulesValue, to: RulesValue): RulesValue {
  if (value === null) throw nullError();
  if (hasType(value, "list")) return value.slice(...bounds(value.length, "list", from, to));
  if (typeof value !== "string") throw notFound("[:]");
  return value.slice(...bounds(value.length, "string", from, to));
}

function bounds(size: number, type: TypeName, from: RulesValue, to: RulesValue): [number, number] {
  if (typeof from !== "bigint" || typeof to !== "bigint") {
    throw unsupported(`${type}[${typeOf(from)}:${typeOf(to)}]`, `${type}[int:int]`);
  }
  const start = checkIndex(from, size);
  const end = checkIndex(to - 1n, size) + 1;
  if (start > end) throw new RulesError(`Illegal range error. From index: [${from}] , To index: [${to}].`);
  return [start, end];
}

/**
 * `value.name`: a field of a map, or what a wildcard of a path was bound to.
 * @throws RulesError if there is none
 */
export function property(value: RulesValue, name: string): RulesValue {
  if (value === null) throw nullError();
  if (hasType(value, "map")) return field(value, name);
  if (hasType(value, "path")) return binding(value, name);
  throw new RulesError(`Type error. Received: [${typeOf(value)}] Expected: [map,path].`);
}

function field(map: ReadonlyMap<string, RulesValue>, name: string): RulesValue {
  const value = map.get(name);
  if (value === undefined) throw new RulesError(`Property ${name} is undefined on object.`);
  return value;
}

function binding(path: RulesPath, name: string): RulesValue {
  return field(path.bindings, name);
}

function nullError(): RulesError {
  return new RulesError("Null value error.");
}
