import type { Binary, Expression } from "./expression.ts";
import type { Method } from "./methods.ts";
import type { Fail } from "./source.ts";
import { eitherOf, isNumeric, mayBeString, memberOf, resultOf, type Type, takes, VARIABLES } from "./types.ts";
import { operandMessage } from "./value.ts";

/** The kinds of rules that are expressions. */
export type RuleKind = "read" | "write" | "validate";

export interface CheckContext {
  readonly kind: RuleKind;
  /** The `$variables` of the location and those above. */
  readonly variables: ReadonlySet<string>;
  readonly fail: Fail;
}

/**
 * Refuses what the service refuses before a rule ever runs: unknown names, operands and arguments of the wrong type, and
 * a rule that is not a boolean. Throws what `fail` makes.
 */
export function checkRule(rule: Expression, context: CheckContext): void {
  const type = scalarType(rule, context);
  if (type !== "boolean") throw context.fail(rule.at, "Expression must evaluate to a boolean.");
}

/** The type of a part that may not be a list: lists are only for `hasChildren`. */
function scalarType(expression: Expression, context: CheckContext): Type {
  const type = typeOf(expression, context);
  if (type === "list") throw context.fail(expression.at, "Unexpected array literal.");
  return type;
}

function typeOf(expression: Expression, context: CheckContext): Type {
  switch (expression.kind) {
    case "literal":
      return literalType(expression.value);
    case "pattern":
      return "pattern";
    case "list":
      for (const item of expression.items) scalarType(item, context);
      return "list";
    case "variable":
      return variableType(expression, context);
    case "member":
      return fieldType(expression, context);
    case "index":
      return indexType(expression, context);
    case "call":
      return callType(expression, context);
    default:
      return operationType(expression, context);
  }
}

type Operation = Extract<Expression, { kind: "not" | "negative" | "and" | "or" | "binary" | "conditional" }>;

function operationType(expression: Operation, context: CheckContext): Type {
  switch (expression.kind) {
    case "not":
      requireBoolean(expression.operand, context, "! only operates on booleans.");
      return "boolean";
    case "negative":
      if (!isNumeric(scalarType(expression.operand, context))) {
        throw context.fail(expression.at, "- only operates on numbers.");
      }
      return "number";
    case "and":
    case "or":
      return logicalType(expression, context);
    case "binary":
      return binaryType(expression, context);
    case "conditional":
      return conditionalType(expression, context);
  }
}

function literalType(value: string | number | boolean | null): Type {
  if (value === null) return "null";
  return typeof value as "string" | "number" | "boolean";
}

function variableType({ name, at }: Expression & { readonly kind: "variable" }, context: CheckContext): Type {
  if (context.variables.has(name)) return "string";
  const type = VARIABLES.get(name);
  if (!type) throw context.fail(at, `Unknown variable '${name}'.`);
  if (name === "newData" && context.kind === "read") throw context.fail(at, "newData is invalid in .read expressions.");
  return type;
}

function fieldType({ target, name, at }: Expression & { readonly kind: "member" }, context: CheckContext): Type {
  const member = memberOf(scalarType(target, context), name);
  if ("wrong" in member) throw context.fail(at, member.wrong);
  return "method" in member ? "method" : member.field;
}

function indexType({ target, index, at }: Expression & { readonly kind: "index" }, context: CheckContext): Type {
  const type = scalarType(target, context);
  scalarType(index, context);
  if (type !== "claim") throw context.fail(at, "Invalid property access.");
  return "claim";
}

const NOT_A_FUNCTION = "Type error: Function call on target that is not a function.";

function callType({ target, args, at }: Expression & { readonly kind: "call" }, context: CheckContext): Type {
  if (target.kind !== "member") {
    scalarType(target, context);
    throw context.fail(at, NOT_A_FUNCTION);
  }
  const member = memberOf(scalarType(target.target, context), target.name);
  if ("wrong" in member) throw context.fail(at, member.wrong);
  if ("field" in member) throw context.fail(at, NOT_A_FUNCTION);
  const wrong = wrongArguments(target.name, member.method.takes, args, context);
  if (wrong !== undefined) throw context.fail(at, wrong);
  return member.method.gives;
}

/** What is wrong with the arguments, if anything. */
function wrongArguments(
  name: string,
  wanted: Method<never>["takes"],
  args: readonly Expression[],
  context: CheckContext,
): string | undefined {
  if (wanted === "strings") return wrongNames(args, context);
  const types = args.map((arg) => scalarType(arg, context));
  switch (wanted) {
    case "nothing":
      return types.length > 0 ? `${name}() expects no arguments.` : undefined;
    case "string":
      if (types.length !== 1) return `${name}() expects 1 argument.`;
      return types.every(mayBeString) ? undefined : `${name}() expects a string argument.`;
    case "two strings":
      return wrongPair(name, types);
    case "pattern":
      if (types.length !== 1) return `${name}() expects 1 regular expression literal argument.`;
      return types[0] === "pattern" ? undefined : `${name}() expects a regular expression literal argument.`;
  }
}

function wrongPair(name: string, types: readonly Type[]): string | undefined {
  if (types.length !== 2) return `${name}() expects two arguments.`;
  const wrong = types.findIndex((type) => !mayBeString(type));
  return wrong < 0 ? undefined : `Argument ${wrong + 1} of ${name}() must be a string.`;
}

function wrongNames(args: readonly Expression[], context: CheckContext): string | undefined {
  const [names, ...rest] = args;
  if (rest.length > 0) return "hasChildren() expects only a single argument (containing an array of child names).";
  if (!names) return undefined;
  if (typeOf(names, context) !== "list" || names.kind !== "list")
    return "hasChildren() expects an array of child names.";
  const areStrings = names.items.every((item) => mayBeString(scalarType(item, context)));
  return areStrings ? undefined : "hasChildren() expects an array of strings.";
}

function logicalType(
  { kind, left, right }: Expression & { readonly kind: "and" | "or" },
  context: CheckContext,
): "boolean" {
  const operator = kind === "and" ? "&&" : "||";
  requireBoolean(left, context, `Left operand of ${operator} must be boolean.`);
  requireBoolean(right, context, `Right operand of ${operator} must be boolean.`);
  return "boolean";
}

function binaryType({ operator, left, right }: Binary, context: CheckContext): Type {
  const types = [scalarType(left, context), scalarType(right, context)] as const;
  if (!takes(operator, types[0])) throw context.fail(left.at, operandMessage(operator, "left"));
  if (!takes(operator, types[1])) throw context.fail(right.at, operandMessage(operator, "right"));
  return resultOf(operator, ...types);
}

function conditionalType(
  { condition, then, otherwise }: Expression & { readonly kind: "conditional" },
  context: CheckContext,
): Type {
  requireBoolean(condition, context, "condition of ? must be boolean.");
  return eitherOf(scalarType(then, context), scalarType(otherwise, context));
}

function requireBoolean(expression: Expression, context: CheckContext, message: string): void {
  if (scalarType(expression, context) !== "boolean") throw context.fail(expression.at, message);
}
