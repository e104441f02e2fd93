import type { Expression } from "../language/syntax.ts";
import type { RulesError } from "../value.ts";
import type { Value } from "./unknown.ts";

/** What came of evaluating an expression. */
export type Outcome =
  | { readonly value: Value; readonly error?: undefined }
  | { readonly error: RulesError; readonly value?: undefined };

/** What came of every expression of a condition or a function's body that was evaluated. */
export class Trace {
  readonly outcomes = new Map<Expression, Outcome>();
  /** Of each call of a function of the file, what happened inside. */
  readonly calls = new Map<Expression, Trace>();
}
