import { MIN_INT, saturate } from "./numbers.ts";
import { fn, type Operations } from "./signature.ts";

/**
 * The namespace `math`. The reference has `ceil` and `floor` give an int; the service gives a float, and so does this. `isInfinite` is in
 * the reference, but the service was seen not to know it.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.math;
 * https://github.com/davideast/pyric/tree/main/packages/conformance/observations/storage-rules (math-namespace)
 */
export const MATH_FUNCTIONS: Operations<undefined> = new Map([
  ["abs", fn(["int|float"], abs)],
  ["ceil", fn(["int|float"], (value) => Math.ceil(Number(value)))],
  ["floor", fn(["int|float"], (value) => Math.floor(Number(value)))],
  ["isInfinite", fn(["int|float"], (value) => Math.abs(Number(value)) === Number.POSITIVE_INFINITY)],
  ["isNaN", fn(["int|float"], (value) => Number.isNaN(value))],
  ["pow", fn(["int|float", "int|float"], (base, exponent) => Number(base) ** Number(exponent))],
  ["round", fn(["int|float"], round)],
  ["sqrt", fn(["int|float"], (value) => Math.sqrt(Number(value)))],
]);

/** The smallest int has no counterpart and stays as it is. */
function abs(value: bigint | number): bigint | number {
  if (typeof value === "number") return Math.abs(value);
  return value < 0n && value !== MIN_INT ? -value : value;
}

/** Halves go up. */
function round(value: bigint | number): bigint {
  return typeof value === "bigint" ? value : saturate(Math.round(value));
}
