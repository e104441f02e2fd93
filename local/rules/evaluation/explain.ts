import { childrenOf, type Expression, type Span } from "../language/syntax.ts";
import { formatValue } from "../library/format.ts";
import type { RulesError } from "../value.ts";
import type { Outcome, Trace } from "./trace.ts";
import { Unknown, Unproven } from "./unknown.ts";

const MAX_SOURCE = 120;
const MAX_VALUES = 4;
const MAX_BLAMED = 4;

/** An expression for which a condition did not hold, and what happened around it. */
interface Blamed {
  readonly expression: Expression;
  readonly trace: Trace;
}

/**
 * Why a condition did not hold: the expressions that were false or failed, and the values in them. Empty if there is
 * nothing to say.
 */
export function explain(source: string, condition: Expression, trace: Trace): string {
  return blame({ expression: condition, trace })
    .filter(({ expression }) => expression.kind !== "literal")
    .slice(0, MAX_BLAMED)
    .map((blamed) => reason(source, blamed))
    .join(", nor ");
}

function reason(source: string, blamed: Blamed): string {
  const text = shorten(blamed.expression, source);
  const error = blamed.trace.outcomes.get(blamed.expression)?.error;
  if (error instanceof Unproven) return `${text}, which the query does not settle`;
  const values = [...valuesIn(source, blamed)].slice(0, MAX_VALUES).map(([name, value]) => `${name} is ${value}`);
  const last = values.pop();
  if (last === undefined) return text;
  return `${text}, where ${values.length === 0 ? last : `${values.join(", ")} and ${last}`}`;
}

/** A part of the source on one line. */
export function shorten({ start, end }: Span, source: string): string {
  const text = source.slice(start, end).replaceAll(/\s+/g, " ");
  return text.length > MAX_SOURCE ? `${text.slice(0, MAX_SOURCE - 1)}…` : text;
}

function blame(blamed: Blamed): readonly Blamed[] {
  const { expression, trace } = blamed;
  switch (expression.kind) {
    case "logical":
      return blameLogical(blamed, expression);
    case "ternary":
      return blame({ expression: branch(expression, trace), trace });
    case "call":
      return blameCall(blamed, expression);
    default:
      return blameChild(blamed);
  }
}

/** Of `a && b` whichever decided, of `a || b` both. */
function blameLogical({ trace }: Blamed, { operator, left, right }: Expression & { kind: "logical" }) {
  const first = trace.outcomes.get(left);
  const second = trace.outcomes.get(right);
  const sides = operator === "||" ? [left, right] : first?.value === true || second?.value === false ? [right] : [left];
  return sides.flatMap((expression) => blame({ expression, trace }));
}

function branch({ condition, yes, no }: Expression & { kind: "ternary" }, { outcomes }: Trace): Expression {
  const decided = outcomes.get(condition)?.value;
  if (decided === true) return yes;
  return decided === false ? no : condition;
}

function blameCall(blamed: Blamed, call: Expression): readonly Blamed[] {
  const inner = blamed.trace.calls.get(call);
  const result = inner && [...inner.outcomes.keys()].at(-1);
  if (!inner || !result) return blameChild(blamed);
  return blame({ expression: result, trace: inner }).map((inside) => originOf(inside, call, blamed.trace));
}

/** Where a variable that is an error got it from: a `let` of the function, or an argument of its call. */
function originOf(blamed: Blamed, call: Expression, outer: Trace): Blamed {
  const error = blamed.expression.kind === "name" && blamed.trace.outcomes.get(blamed.expression)?.error;
  if (!error) return blamed;
  const inner = firstOf(error, blamed.trace);
  if (inner && inner.kind !== "name") return { expression: inner, trace: blamed.trace };
  const argument = firstOf(error, outer);
  return argument && argument !== call ? { expression: argument, trace: outer } : blamed;
}

/** The expression that an error comes from is the first that has it. */
function firstOf(error: RulesError, { outcomes }: Trace): Expression | undefined {
  return outcomes.entries().find(([, outcome]) => outcome.error === error)?.[0];
}

/** The innermost expression that failed; what is just false is false by itself. */
function blameChild(blamed: Blamed): readonly Blamed[] {
  const { expression, trace } = blamed;
  if (!trace.outcomes.get(expression)?.error) return [blamed];
  const failed = childrenOf(expression).find((child) => trace.outcomes.get(child)?.error);
  return failed ? blame({ expression: failed, trace }) : [blamed];
}

const VARIABLES = new Set(["name", "member", "index"]);
const REFERENCES = new Set([...VARIABLES, "call", "method"]);

/** The values of what an expression refers to, by their source. */
function valuesIn(source: string, { expression, trace }: Blamed): ReadonlyMap<string, string> {
  const outcome = trace.outcomes.get(expression);
  const self = VARIABLES.has(expression.kind) && !outcome?.error;
  const values = new Map<string, string>();
  if (!self) collectValues(source, childrenOf(expression), trace, values);
  else if (outcome?.value !== false) collectValues(source, [expression], trace, values);
  return values;
}

function collectValues(source: string, among: readonly Expression[], trace: Trace, values: Map<string, string>): void {
  for (const expression of among) {
    const value = REFERENCES.has(expression.kind) ? describe(trace.outcomes.get(expression)) : undefined;
    if (value === undefined) collectValues(source, childrenOf(expression), trace, values);
    else values.set(shorten(expression, source), value);
  }
}

function describe(outcome: Outcome | undefined): string | undefined {
  const value = outcome?.value;
  return value === undefined || value instanceof Unknown ? undefined : formatValue(value);
}
