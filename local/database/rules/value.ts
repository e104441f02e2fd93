import type { BinaryOperator } from "./expression.ts";
import type { Pattern } from "./pattern.ts";
import { Snapshot } from "./snapshot.ts";

/** What parts of an expression can be while it is evaluated. */
export type RuleValue = Scalar | Snapshot | Claims | QueryFields | Pattern | readonly RuleValue[];

export type Scalar = string | number | boolean | null;

/** `auth`, or a map or list within its token. */
export class Claims {
  readonly entries: object;

  constructor(entries: object) {
    this.entries = entries;
  }

  /** What is stored there; null where nothing is. */
  get(key: string): RuleValue {
    if (!Object.hasOwn(this.entries, key)) return null;
    return claimValue((this.entries as Readonly<Record<string, unknown>>)[key]);
  }
}

/** `query`: all of its fields, with null or false for what the query does not set. */
export class QueryFields {
  readonly fields: ReadonlyMap<string, Scalar>;

  constructor(fields: ReadonlyMap<string, Scalar>) {
    this.fields = fields;
  }
}

/** An error of evaluation. It makes the whole rule false, whatever stands around it. */
export class RuleFailure extends Error {
  override readonly name = "RuleFailure";
}

function claimValue(value: unknown): RuleValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return typeof value === "object" && value !== null ? new Claims(value) : null;
}

/** What the service says of an operand that its operator does not take. */
export function operandMessage(operator: BinaryOperator, side: "left" | "right"): string {
  const takes = OPERANDS[operator];
  return `Invalid ${operator} expression: ${side} operand ${takes === EQUATABLE && operator === "==" && side === "left" ? EQUATABLE_LEFT : takes}.`;
}

const EQUATABLE = "is not a number, boolean, string, or null";
/** The service words one of the four differently. */
const EQUATABLE_LEFT = "is not a number, boolean, string, null";
const ORDERED = "must be a number or string";
const NUMERIC = "is not a number";

const OPERANDS: Readonly<Record<BinaryOperator, string>> = {
  "==": EQUATABLE,
  "!=": EQUATABLE,
  "<": ORDERED,
  "<=": ORDERED,
  ">": ORDERED,
  ">=": ORDERED,
  "+": "is not a number or string",
  "-": NUMERIC,
  "*": NUMERIC,
  "/": NUMERIC,
  "%": NUMERIC,
};

/** A value for people, in a line of bounded length. */
export function describe(value: RuleValue): string {
  if (value instanceof Snapshot) return value.exists ? "(data)" : "(nothing)";
  if (value instanceof Claims) return shorten(JSON.stringify(value.entries));
  // A text may be of megabytes; what is cut off need not be escaped first.
  if (typeof value === "string") return shorten(JSON.stringify(value.slice(0, MAX_DESCRIBED + 1)));
  return shorten(JSON.stringify(value) ?? String(value));
}

const MAX_DESCRIBED = 200;

export function shorten(text: string): string {
  return text.length > MAX_DESCRIBED ? `${text.slice(0, MAX_DESCRIBED)}…` : text;
}
