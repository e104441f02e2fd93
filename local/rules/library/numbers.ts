import { RulesError, type RulesValue } from "../value.ts";
import { unsupported } from "./types.ts";

/** Numbers: `int` is a signed integer of 64 bits, `float` a double. Source: https://firebase.google.com/docs/reference/rules/rules.Integer */

export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;

/** @throws RulesError if the integer does not fit into 64 bits */
function toInt(value: bigint): bigint {
  if (value < MIN_INT || value > MAX_INT) throw new RulesError("Integer overflow.");
  return value;
}

/** A float without its fraction, the nearest int if it is out of range, zero if it is not a number. */
export function saturate(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value <= Number(MIN_INT)) return MIN_INT;
  return value >= Number(MAX_INT) ? MAX_INT : BigInt(Math.trunc(value));
}

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/**
 * Arithmetic. Ints give an int, division truncating towards zero; with a float among them they become floats first.
 * @throws RulesError on overflow or division by zero of ints
 */
export function calculate(
  operator: ArithmeticOperator,
  left: bigint | number,
  right: bigint | number,
): bigint | number {
  if (typeof left === "bigint" && typeof right === "bigint") return calculateInts(operator, left, right);
  return calculateFloats(operator, Number(left), Number(right));
}

function calculateInts(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return toInt(left + right);
    case "-":
      return toInt(left - right);
    case "*":
      return toInt(left * right);
    case "/":
      return toInt(left / divisor(right));
    case "%":
      return left % divisor(right);
  }
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw new RulesError("Division by zero.");
  return value;
}

function calculateFloats(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

/** @throws RulesError unless the value is a number that can be negated */
export function negate(value: RulesValue, type: string): bigint | number {
  if (typeof value === "bigint") return toInt(-value);
  if (typeof value === "number") return -value;
  throw unsupported(`-${type}`, "-int, -float");
}
