import { LIMITS } from "../language/limits.ts";
import { isNamespace, LOOKUPS, LOOKUPS_OF_STORAGE } from "../language/names.ts";
import type { Program } from "../language/program.ts";
import type { Expression, FunctionSyntax, Of } from "../language/syntax.ts";
import { formatValue } from "../library/format.ts";
import { callFunction } from "../library/functions.ts";
import { callMethod } from "../library/methods.ts";
import { binary, index, isType, property, range, unary } from "../library/operators.ts";
import { typeOf, unsupported } from "../library/types.ts";
import { RulesError, type RulesMap, RulesPath, type RulesValue } from "../value.ts";
import type { Documents } from "./documents.ts";
import type { Captures } from "./match.ts";
import { proveBinary, proveMethod, proveType } from "./proof.ts";
import { type Outcome, Trace } from "./trace.ts";
import { fieldOf, settled, Unknown, Unproven, type Value } from "./unknown.ts";

/** What is the same for all expressions that are evaluated for a request. */
export interface Surroundings {
  readonly program: Program;
  readonly service: string;
  readonly request: RulesMap;
  readonly resource: Value;
  readonly documents: Documents;
  readonly debug: (text: string) => void;
  /** Is told what every expression gave. */
  readonly record: (expression: Expression, outcome: Outcome) => void;
}

/** The request may not evaluate more; it is denied, whatever else its rules would say. */
export class LimitReached extends Error {}

const TOO_MANY = `Unable to evaluate the expression as the maximum of ${LIMITS.expressions} expressions to evaluate has been reached.`;

/** What an expression sees besides `request` and `resource`. */
interface Scope {
  readonly variables: ReadonlyMap<string, Outcome>;
  readonly captures: Captures;
  /** The level of the block that the expression stands in. */
  readonly level: number;
  readonly trace: Trace;
}

/**
 * Evaluates expressions for one request. In the list of documents, values that the query does not settle are
 * {@link Unknown}; what they do not settle either is an error, as it is in production.
 */
export class Evaluator {
  readonly #with: Surroundings;
  #spent = 0;
  #depth = 0;

  constructor(surroundings: Surroundings) {
    this.#with = surroundings;
  }

  /**
   * The outcome of a condition, and how it came about.
   * @throws LimitReached, or what looking up a document throws
   */
  condition(expression: Expression, captures: Captures): { outcome: Outcome; trace: Trace } {
    const trace = new Trace();
    const scope = { variables: new Map(), captures, level: captures.length - 1, trace };
    return { outcome: this.#outcome(expression, scope), trace };
  }

  #evaluate(expression: Expression, scope: Scope): Value {
    return resultOf(this.#outcome(expression, scope));
  }

  #outcome(expression: Expression, scope: Scope): Outcome {
    this.#spend(1);
    if (++this.#depth > LIMITS.evaluationDepth) throw new LimitReached("Expression is too complex to evaluate safely.");
    const outcome = this.#attempt(expression, scope);
    this.#depth--;
    scope.trace.outcomes.set(expression, outcome);
    this.#with.record(expression, outcome);
    return outcome;
  }

  #attempt(expression: Expression, scope: Scope): Outcome {
    try {
      return { value: this.#value(expression, scope) };
    } catch (error) {
      if (error instanceof RulesError) return { error };
      throw error;
    }
  }

  /** Counts as production was measured to: https://github.com/davideast/pyric (test/rules/linter/LINTER_SPEC.md) */
  #spend(expressions: number): void {
    this.#spent += expressions;
    if (this.#spent > LIMITS.expressions) throw new LimitReached(TOO_MANY);
  }

  #value(expression: Expression, scope: Scope): Value {
    switch (expression.kind) {
      case "literal":
        return expression.value;
      case "name":
        return this.#name(expression.name, scope);
      case "member":
        return this.#member(expression, scope);
      case "index":
        return this.#index(expression, scope);
      case "range":
        return this.#range(expression, scope);
      case "call":
        return this.#call(expression, scope);
      case "method":
        return this.#method(expression, scope);
      case "unary":
        return unary(expression.operator, this.#settled(expression.operand, scope));
      case "binary":
        return this.#binary(expression, scope);
      case "logical":
        return this.#logical(expression, scope);
      case "is":
        return this.#is(expression, scope);
      case "ternary":
        return this.#ternary(expression, scope);
      case "list":
        return this.#all(expression.items, scope).map(settled);
      case "map":
        return this.#map(expression, scope);
      case "path":
        return this.#path(expression, scope);
    }
  }

  #settled(expression: Expression, scope: Scope): RulesValue {
    return settled(this.#evaluate(expression, scope));
  }

  /** All of several expressions, even behind one that fails: what they look up and cost counts. The first error is the error. */
  #all(expressions: readonly Expression[], scope: Scope): readonly Value[] {
    const outcomes: Outcome[] = [];
    for (const expression of expressions) outcomes.push(this.#outcome(expression, scope));
    return outcomes.map(resultOf);
  }

  #name(name: string, scope: Scope): Value {
    const variable = scope.variables.get(name);
    if (variable) return resultOf(variable);
    const capture = captured(name, scope);
    if (capture !== undefined) return capture;
    if (name === "request") return this.#with.request;
    if (name === "resource") return this.#with.resource;
    throw new RulesError(`Variable not found error: Name: [${name}].`);
  }

  #member({ target, name }: Of<"member">, scope: Scope): Value {
    const value = this.#evaluate(target, scope);
    return value instanceof Unknown ? fieldOf(value, name) : property(value, name);
  }

  #index({ target, key }: Of<"index">, scope: Scope): Value {
    const [value = null, at = null] = this.#all([target, key], scope);
    if (!(value instanceof Unknown)) return index(value, settled(at));
    if (typeof at !== "string") throw new Unproven();
    return fieldOf(value, at);
  }

  #range({ target, from, to }: Of<"range">, scope: Scope): Value {
    const [value = null, start = null, end = null] = this.#all([target, from, to], scope);
    return range(settled(value), settled(start), settled(end));
  }

  #call(call: Of<"call">, scope: Scope): Value {
    const fn = this.#with.program.calls.get(call);
    if (fn) return this.#function(fn, call, scope);
    const values = this.#all(call.values, scope);
    if (call.name === "debug") return this.#debug(values);
    if (LOOKUPS.has(call.name) && this.#with.service === "cloud.firestore") return this.#lookUp(call.name, values);
    return callFunction(undefined, call.name, values.map(settled));
  }

  #debug(values: readonly Value[]): Value {
    const [value] = values;
    if (value === undefined || values.length > 1) throw new RulesError("Unexpected arguments: debug() takes one.");
    this.#with.debug(value instanceof Unknown ? "(not settled by the query)" : formatValue(value));
    return value;
  }

  #lookUp(name: string, values: readonly Value[]): RulesValue {
    const [path] = values;
    if (path === undefined || values.length > 1) throw new RulesError(`Unexpected arguments: ${name}() takes one.`);
    return this.#with.documents.lookUp(name, settled(path));
  }

  /** An argument or variable that is an error is one where it is used. */
  #function(fn: FunctionSyntax, call: Of<"call">, scope: Scope): Value {
    const variables = new Map<string, Outcome>();
    const trace = new Trace();
    scope.trace.calls.set(call, trace);
    for (const [i, value] of call.values.entries()) {
      variables.set(fn.parameters[i] ?? "", this.#outcome(value, scope));
    }
    const inner = { variables, captures: scope.captures, level: this.#with.program.levels.get(fn) ?? 0, trace };
    for (const { name, value } of fn.lets) {
      this.#spend(1);
      variables.set(name, this.#outcome(value, inner));
    }
    return this.#evaluate(fn.result, inner);
  }

  #method(call: Of<"method">, scope: Scope): Value {
    const { target, name } = call;
    if (target.kind === "name" && isNamespace(target.name) && !isVariable(target.name, scope)) {
      return this.#namespaced(target.name, call, scope);
    }
    const [receiver = null, ...values] = this.#all([target, ...call.values], scope);
    if ([receiver, ...values].some((value) => value instanceof Unknown)) return proveMethod(receiver, name, values);
    return callMethod(settled(receiver), name, values.map(settled));
  }

  #namespaced(namespace: string, call: Of<"method">, scope: Scope): Value {
    const values = this.#all(call.values, scope);
    const lookups = this.#with.service === "cloud.firestore" ? LOOKUPS : LOOKUPS_OF_STORAGE;
    if (namespace === "firestore" && lookups.has(call.name)) return this.#lookUp(call.name, values);
    return callFunction(namespace, call.name, values.map(settled));
  }

  /** `in` looks at the collection first. */
  #binary({ operator, left, right }: Of<"binary">, scope: Scope): Value {
    const reversed = operator === "in";
    const values = this.#all(reversed ? [right, left] : [left, right], scope);
    const [a = null, b = null] = reversed ? values.toReversed() : values;
    if (a instanceof Unknown || b instanceof Unknown) return proveBinary(operator, a, b);
    return binary(operator, a, b);
  }

  /** An error on one side does not matter if the other side alone decides. */
  #logical({ operator, left, right }: Of<"logical">, scope: Scope): Value {
    const decisive = operator === "||";
    const first = this.#outcome(left, scope);
    if (first.value === decisive) return decisive;
    this.#spend(1);
    const second = this.#outcome(right, scope);
    if (second.value === decisive) return decisive;
    checkBoolean(first, operator);
    checkBoolean(second, operator);
    return !decisive;
  }

  #is({ operand, type }: Of<"is">, scope: Scope): boolean {
    this.#spend(1);
    const value = this.#evaluate(operand, scope);
    return value instanceof Unknown ? proveType(value, type) : isType(value, type);
  }

  #ternary({ condition, yes, no }: Of<"ternary">, scope: Scope): Value {
    this.#spend(1);
    const value = this.#settled(condition, scope);
    if (typeof value !== "boolean") throw unsupported(`${typeOf(value)} ? :`, "bool ? :");
    if (value) return this.#evaluate(yes, scope);
    this.#spend(2);
    return this.#evaluate(no, scope);
  }

  #map({ entries }: Of<"map">, scope: Scope): RulesMap {
    const parts = this.#all(
      entries.flatMap(({ key, value }) => [key, value]),
      scope,
    ).map(settled);
    const map = new Map<string, RulesValue>();
    for (let i = 0; i < parts.length; i += 2) {
      const [name, value = null] = parts.slice(i, i + 2);
      if (typeof name !== "string") throw new RulesError("Type error: the keys of a map are strings.");
      map.set(name, value);
    }
    return map;
  }

  #path({ segments }: Of<"path">, scope: Scope): RulesPath {
    return new RulesPath(segments.flatMap((segment) => this.#segment(segment, scope)));
  }

  #segment(segment: string | Expression, scope: Scope): readonly string[] {
    if (typeof segment === "string") {
      this.#spend(1);
      return [segment];
    }
    const value = this.#settled(segment, scope);
    if (value instanceof RulesPath) return value.segments;
    if (value === null) throw new RulesError("Null value error.");
    if (typeof value !== "string") throw unsupported(`/$(${typeOf(value)})`, "/$(string)");
    return [value];
  }
}

function resultOf(outcome: Outcome): Value {
  if (outcome.error) throw outcome.error;
  return outcome.value;
}

/** What an operand of `&&` or `||` has to be. */
function checkBoolean(outcome: Outcome, operator: string): void {
  const value = settled(resultOf(outcome));
  if (typeof value !== "boolean") throw unsupported(`${typeOf(value)} ${operator} bool`, `bool ${operator} bool`);
}

/** What a wildcard stands for that is seen from a block: those of the block itself and of the blocks around it. */
function captured(name: string, { captures, level }: Scope): Value | undefined {
  for (let at = Math.min(level, captures.length - 1); at >= 0; at--) {
    const value = captures[at]?.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function isVariable(name: string, scope: Scope): boolean {
  return scope.variables.has(name) || captured(name, scope) !== undefined;
}
