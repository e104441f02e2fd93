import { expect, test } from "vitest";
import { RulesError, type RulesMap, type RulesValue } from "../value.ts";
import { setOf } from "./collections.ts";
import { formatValue } from "./format.ts";
import { callFunction } from "./functions.ts";
import { callMethod } from "./methods.ts";
import { type BinaryOperator, binary } from "./operators.ts";

/** Tables of cases for tests: each row becomes a test whose name is the expression that it evaluates. */

/** An outcome that is a RulesError whose message contains these words. */
interface Refusal {
  readonly refusal: string;
}

export type Outcome = RulesValue | Refusal;
export type MethodCase = readonly [receiver: RulesValue, name: string, args: readonly RulesValue[], outcome: Outcome];
export type FunctionCase = readonly [name: string, args: readonly RulesValue[], outcome: Outcome];
export type OperatorCase = readonly [left: RulesValue, operator: BinaryOperator, right: RulesValue, outcome: Outcome];

export function refusal(words: string): Refusal {
  return { refusal: words };
}

export function map(entries: Record<string, RulesValue>): RulesMap {
  return new Map(Object.entries(entries));
}

export function set(...items: RulesValue[]): RulesValue {
  return setOf(items);
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function testMethods(cases: readonly MethodCase[]): void {
  for (const [receiver, name, args, outcome] of cases) {
    testCase(`${formatValue(receiver)}.${name}(${list(args)})`, () => callMethod(receiver, name, args), outcome);
  }
}

export function testFunctions(cases: readonly FunctionCase[]): void {
  for (const [name, args, outcome] of cases) {
    const [last = "", namespace] = name.split(".").reverse();
    testCase(`${name}(${list(args)})`, () => callFunction(namespace, last, args), outcome);
  }
}

export function testOperators(cases: readonly OperatorCase[]): void {
  for (const [left, operator, right, outcome] of cases) {
    const expression = `${formatValue(left)} ${operator} ${formatValue(right)}`;
    testCase(expression, () => binary(operator, left, right), outcome);
  }
}

/** A test that an expression has an outcome. */
export function testCase(expression: string, evaluate: () => RulesValue, outcome: Outcome): void {
  if (isRefusal(outcome)) test(`${expression} is refused: ${outcome.refusal}`, () => expectRefusal(evaluate, outcome));
  else test(`${expression} is ${formatValue(outcome)}`, () => expect(evaluate()).toEqual(outcome));
}

function isRefusal(outcome: Outcome): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "refusal" in outcome;
}

function expectRefusal(evaluate: () => RulesValue, { refusal: words }: Refusal): void {
  expect(evaluate).toThrow(RulesError);
  expect(evaluate).toThrow(words);
}

function list(values: readonly RulesValue[]): string {
  return values.map(formatValue).join(", ");
}
