import type { RulesValue } from "../value.ts";
import { HASHING_FUNCTIONS } from "./bytes.ts";
import { CONVERSIONS } from "./conversions.ts";
import { MATH_FUNCTIONS } from "./math.ts";
import { LATLNG_FUNCTIONS } from "./places.ts";
import { apply, type Operations } from "./signature.ts";
import { DURATION_FUNCTIONS, TIMESTAMP_FUNCTIONS } from "./time.ts";
import { notFound } from "./types.ts";

const FUNCTIONS: ReadonlyMap<string, Operations<undefined>> = new Map([
  ["duration", DURATION_FUNCTIONS],
  ["hashing", HASHING_FUNCTIONS],
  ["latlng", LATLNG_FUNCTIONS],
  ["math", MATH_FUNCTIONS],
  ["timestamp", TIMESTAMP_FUNCTIONS],
]);

/** The namespaces that functions are called in, as `math.abs(-1)`. */
export const NAMESPACES: ReadonlySet<string> = new Set(FUNCTIONS.keys());

/** The functions that are called without a namespace, as `int("1")`. */
export const GLOBAL_FUNCTIONS: ReadonlySet<string> = new Set(CONVERSIONS.keys());

/**
 * `namespace.name(args)`, or `name(args)` without a namespace.
 * @throws RulesError if there is no such function, or it does not take such arguments
 */
export function callFunction(namespace: string | undefined, name: string, args: readonly RulesValue[]): RulesValue {
  const full = namespace === undefined ? name : `${namespace}.${name}`;
  const operation = (namespace === undefined ? CONVERSIONS : FUNCTIONS.get(namespace))?.get(name);
  if (!operation) throw notFound(full);
  return apply(operation, full, undefined, args);
}
