import type { RulesValue } from "../value.ts";

/** Where a piece of syntax stands: offsets in UTF-16 units, `end` behind the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "in";

type Form =
  | { readonly kind: "literal"; readonly value: RulesValue }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "member"; readonly target: Expression; readonly name: string }
  | { readonly kind: "index"; readonly target: Expression; readonly key: Expression }
  | { readonly kind: "range"; readonly target: Expression; readonly from: Expression; readonly to: Expression }
  | { readonly kind: "call"; readonly name: string; readonly values: readonly Expression[] }
  | {
      readonly kind: "method";
      readonly target: Expression;
      readonly name: string;
      readonly values: readonly Expression[];
    }
  | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "logical";
      readonly operator: "&&" | "||";
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "is"; readonly operand: Expression; readonly type: string }
  | { readonly kind: "ternary"; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "map"; readonly entries: readonly Entry[] }
  | { readonly kind: "path"; readonly segments: readonly (string | Expression)[] };

export interface Entry {
  readonly key: Expression;
  readonly value: Expression;
}

export type Expression = Form & Span;
export type Kind = Expression["kind"];
export type Of<K extends Kind> = Extract<Expression, { kind: K }>;

/** The expressions that an expression is made of, in the order of the text. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "name":
      return [];
    case "member":
      return [expression.target];
    case "index":
      return [expression.target, expression.key];
    case "range":
      return [expression.target, expression.from, expression.to];
    case "call":
      return expression.values;
    case "method":
      return [expression.target, ...expression.values];
    case "unary":
    case "is":
      return [expression.operand];
    case "binary":
    case "logical":
      return [expression.left, expression.right];
    case "ternary":
      return [expression.condition, expression.yes, expression.no];
    case "list":
      return expression.items;
    case "map":
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case "path":
      return expression.segments.filter((segment) => typeof segment !== "string");
  }
}

export const METHODS = ["get", "list", "create", "update", "delete"] as const;
export type Method = (typeof METHODS)[number];

/** A segment of a match's path: a text, `{name}`, or `{name=**}`. */
export type PatternSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "capture"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

export interface Allow extends Span {
  readonly methods: ReadonlySet<Method>;
  /** Without one it allows always. */
  readonly condition?: Expression;
}

export interface Binding extends Span {
  readonly name: string;
  readonly value: Expression;
}

export interface FunctionSyntax extends Span {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly lets: readonly Binding[];
  readonly result: Expression;
}

export interface Match extends Span {
  readonly pattern: readonly PatternSegment[];
  readonly functions: readonly FunctionSyntax[];
  readonly allows: readonly Allow[];
  readonly matches: readonly Match[];
}

export interface Service extends Span {
  readonly name: string;
  readonly functions: readonly FunctionSyntax[];
  readonly matches: readonly Match[];
}

export interface File {
  readonly version: 1 | 2;
  readonly functions: readonly FunctionSyntax[];
  readonly services: readonly Service[];
}
