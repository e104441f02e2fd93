import type { BinaryOperator } from "./expression.ts";
import { type Method, SNAPSHOT_METHODS, STRING_METHODS } from "./methods.ts";

/**
 * What is known of a part of an expression before it is evaluated. What the service accepts and refuses was observed from outside.
 *
 * - `value` is stored data or a mixture with it: any scalar.
 * - `claim` is `auth` and all that is in it: anything.
 * - `bound` is what a query compares with or counts: any scalar, but no string for a method.
 * - `mixed` is one of several scalars, none of them stored.
 */
export type Type =
  | "boolean"
  | "number"
  | "string"
  | "null"
  | "value"
  | "claim"
  | "bound"
  | "mixed"
  | "snapshot"
  | "query"
  | "method"
  | "pattern"
  | "list";

const UNKNOWN: readonly Type[] = ["value", "claim", "bound", "mixed"];
const EQUATABLE: ReadonlySet<Type> = new Set<Type>(["boolean", "number", "string", "null", ...UNKNOWN]);
const ORDERED: ReadonlySet<Type> = new Set<Type>(["number", "string", ...UNKNOWN]);
const NUMERIC: ReadonlySet<Type> = new Set<Type>(["number", ...UNKNOWN]);
const TEXTUAL: ReadonlySet<Type> = new Set<Type>(["string", "value", "claim", "mixed"]);
const TEXT_LIKE: ReadonlySet<Type> = new Set<Type>(["string", "value", "claim"]);

export const VARIABLES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["auth", "claim"],
  ["now", "number"],
  ["root", "snapshot"],
  ["data", "snapshot"],
  ["newData", "snapshot"],
  ["query", "query"],
]);

/** Source: https://firebase.google.com/docs/database/security/rules-conditions#query-based_rules */
const QUERY_FIELDS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["orderByKey", "boolean"],
  ["orderByValue", "boolean"],
  ["orderByPriority", "boolean"],
  ["orderByChild", "bound"],
  ["startAt", "bound"],
  ["endAt", "bound"],
  ["equalTo", "bound"],
  ["limitToFirst", "bound"],
  ["limitToLast", "bound"],
]);

/** Whether the operator may be given an operand of the type. */
export function takes(operator: BinaryOperator, type: Type): boolean {
  if (operator === "==" || operator === "!=") return EQUATABLE.has(type);
  return (isOrdering(operator) || operator === "+" ? ORDERED : NUMERIC).has(type);
}

function isOrdering(operator: BinaryOperator): operator is "<" | "<=" | ">" | ">=" {
  return operator === "<" || operator === "<=" || operator === ">" || operator === ">=";
}

export function isNumeric(type: Type): boolean {
  return NUMERIC.has(type);
}

export function mayBeString(type: Type): boolean {
  return TEXTUAL.has(type);
}

/** The type of `left operator right`, of operands that the operator takes. */
export function resultOf(operator: BinaryOperator, left: Type, right: Type): Type {
  if (operator === "==" || operator === "!=" || isOrdering(operator)) return "boolean";
  if (operator !== "+") return "number";
  if (left === "string" || right === "string") return "string";
  return left === "number" && right === "number" ? "number" : "value";
}

/** The type of a value that is one of two. */
export function eitherOf(first: Type, second: Type): Type {
  if (first === second) return first;
  return TEXT_LIKE.has(first) || TEXT_LIKE.has(second) ? "value" : "mixed";
}

/** What a name means behind a dot: a method, a field, or a complaint. */
export type Member =
  | { readonly method: Pick<Method<never>, "takes" | "gives"> }
  | { readonly field: Type }
  | { readonly wrong: string };

export function memberOf(target: Type, name: string): Member {
  const noSuch = { wrong: `No such method/property '${name}'.` };
  switch (target) {
    case "snapshot":
      return asMethod(SNAPSHOT_METHODS.get(name)) ?? noSuch;
    case "string":
    case "value":
      return asMethod(STRING_METHODS.get(name)) ?? (name === "length" ? { field: "number" } : noSuch);
    case "claim":
      return asMethod(STRING_METHODS.get(name)) ?? { field: "claim" };
    case "query":
      return asField(QUERY_FIELDS.get(name)) ?? noSuch;
    default:
      return { wrong: "Invalid property access: target is not an object." };
  }
}

function asMethod(method: Pick<Method<never>, "takes" | "gives"> | undefined): Member | undefined {
  return method && { method };
}

function asField(field: Type | undefined): Member | undefined {
  return field && { field };
}
