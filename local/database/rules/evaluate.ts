import type { Binary, BinaryOperator, Expression } from "./expression.ts";
import { MAX_STRING_LENGTH, SNAPSHOT_METHODS, STRING_METHODS } from "./methods.ts";
import { Snapshot } from "./snapshot.ts";
import { Claims, operandMessage, QueryFields, RuleFailure, type RuleValue } from "./value.ts";

/** What a rule sees, and where it notes what it saw. */
export interface Scope {
  readonly variables: ReadonlyMap<string, RuleValue>;
  readonly budget: Budget;
  readonly note?: (expression: Expression, value: RuleValue) => void;
}

/** Far more than any request needs, few enough to be over within seconds. */
const MAX_STEPS = 10_000_000;
/** How long a string is handled in the time of a step, unless a pattern is matched with it. */
const CHARACTERS_PER_STEP = 64;

/** How much may still be evaluated for a request: parts of expressions, and strings by their length. */
export class Budget {
  #left = MAX_STEPS;

  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new RuleFailure(`The request takes more than ${MAX_STEPS} steps of evaluation.`);
  }
}

/** Whether a rule holds. Throws `RuleFailure` if its values do not allow an operation, wherever in the rule it stands. */
export function holds(rule: Expression, scope: Scope): boolean {
  const value = evaluate(rule, scope);
  if (typeof value !== "boolean") throw new RuleFailure("Expression must evaluate to a boolean.");
  return value;
}

function evaluate(expression: Expression, scope: Scope): RuleValue {
  scope.budget.spend();
  const value = valueFor(expression, scope);
  scope.note?.(expression, value);
  return value;
}

function valueFor(expression: Expression, scope: Scope): RuleValue {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "pattern":
      return expression.pattern;
    case "list":
      return expression.items.map((item) => evaluate(item, scope));
    case "variable":
      return scope.variables.get(expression.name) ?? null;
    case "member":
      return field(evaluate(expression.target, scope), expression.name);
    case "index":
      return element(evaluate(expression.target, scope), evaluate(expression.index, scope));
    case "call":
      return call(expression, scope);
    default:
      return operation(expression, scope);
  }
}

type Operation = Extract<Expression, { kind: "not" | "negative" | "and" | "or" | "binary" | "conditional" }>;

function operation(expression: Operation, scope: Scope): RuleValue {
  switch (expression.kind) {
    case "not":
      return !holds(expression.operand, scope);
    case "negative":
      return -number(evaluate(expression.operand, scope), "- only operates on numbers.");
    case "and":
      return holds(expression.left, scope) && holds(expression.right, scope);
    case "or":
      return holds(expression.left, scope) || holds(expression.right, scope);
    case "binary":
      return binary(expression, scope);
    case "conditional":
      return evaluate(holds(expression.condition, scope) ? expression.then : expression.otherwise, scope);
  }
}

/** A field of `auth`, of `query` or of a string. What is missing, or in something missing, is null. */
function field(target: RuleValue, name: string): RuleValue {
  if (target instanceof Claims) return target.get(name);
  if (target instanceof QueryFields) return target.fields.get(name) ?? null;
  if (name !== "length") return null;
  if (typeof target === "string") return target.length;
  throw new RuleFailure("length is only a property of strings.");
}

function element(target: RuleValue, index: RuleValue): RuleValue {
  if (typeof index !== "string" && typeof index !== "number") throw new RuleFailure("Invalid property access.");
  return field(target, String(index));
}

function call({ target, args }: Expression & { readonly kind: "call" }, scope: Scope): RuleValue {
  if (target.kind !== "member") throw new RuleFailure("Function call on target that is not a function.");
  const receiver = evaluate(target.target, scope);
  const values = args.map((arg) => evaluate(arg, scope));
  if (receiver instanceof Snapshot) return run(SNAPSHOT_METHODS.get(target.name), target.name, receiver, values);
  if (typeof receiver !== "string") throw new RuleFailure(`${target.name}() is only a method of strings.`);
  scope.budget.spend(target.name === "matches" ? receiver.length : receiver.length / CHARACTERS_PER_STEP);
  return run(STRING_METHODS.get(target.name), target.name, receiver, values);
}

interface Runnable<Receiver> {
  readonly takes: string;
  run(receiver: Receiver, args: readonly RuleValue[]): RuleValue;
}

function run<Receiver>(
  method: Runnable<Receiver> | undefined,
  name: string,
  receiver: Receiver,
  args: readonly RuleValue[],
): RuleValue {
  if (!method) throw new RuleFailure(`No such method/property '${name}'.`);
  if (method.takes !== "pattern") for (const arg of args) requireStrings(name, arg);
  return method.run(receiver, args);
}

/** Arguments are never converted. */
function requireStrings(name: string, arg: RuleValue): void {
  const isString = Array.isArray(arg) ? arg.every((item) => typeof item === "string") : typeof arg === "string";
  if (!isString) throw new RuleFailure(`${name}() expects a string argument.`);
}

function binary({ operator, left, right }: Binary, scope: Scope): RuleValue {
  const a = evaluate(left, scope);
  const b = evaluate(right, scope);
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return inOrder(operator, a, b);
    case "+":
      return sum(a, b, scope.budget);
    default:
      return arithmetic(
        operator,
        number(a, operandMessage(operator, "left")),
        number(b, operandMessage(operator, "right")),
      );
  }
}

/** Numbers compare with numbers, strings with strings by their UTF-16 units; all else is an error. */
function inOrder(operator: "<" | "<=" | ">" | ">=", a: RuleValue, b: RuleValue): boolean {
  if (!isOrdered(a)) throw new RuleFailure(operandMessage(operator, "left"));
  if (!isOrdered(b)) throw new RuleFailure(operandMessage(operator, "right"));
  if (typeof a !== typeof b) {
    throw new RuleFailure(`Invalid ${operator} expression: left and right operands are of different types.`);
  }
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  if (operator === ">") return a > b;
  return a >= b;
}

function isOrdered(value: RuleValue): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function sum(a: RuleValue, b: RuleValue, budget: Budget): string | number {
  if (!isOrdered(a)) throw new RuleFailure(operandMessage("+", "left"));
  if (!isOrdered(b)) throw new RuleFailure(operandMessage("+", "right"));
  if (typeof a === "number" && typeof b === "number") return a + b;
  const text = `${a}${b}`;
  budget.spend(text.length / CHARACTERS_PER_STEP);
  if (text.length > MAX_STRING_LENGTH) {
    throw new RuleFailure(`A string is longer than ${MAX_STRING_LENGTH} characters.`);
  }
  return text;
}

function arithmetic(operator: BinaryOperator, a: number, b: number): number {
  if (operator === "-") return a - b;
  if (operator === "*") return a * b;
  if (operator === "%") return a % b;
  return b === 0 ? Number.NaN : a / b;
}

function number(value: RuleValue, message: string): number {
  if (typeof value !== "number") throw new RuleFailure(message);
  return value;
}
