import { compilePattern, type Pattern, PatternError } from "./pattern.ts";
import type { Fail } from "./source.ts";
import { type Token, tokenize } from "./tokens.ts";

/** What rule expressions are made of. Every part knows its place in the text and how deep it is. */
export type Expression =
  | (Place & { readonly kind: "literal"; readonly value: string | number | boolean | null })
  | (Place & { readonly kind: "pattern"; readonly pattern: Pattern })
  | (Place & { readonly kind: "list"; readonly items: readonly Expression[] })
  | (Place & { readonly kind: "variable"; readonly name: string })
  | (Place & { readonly kind: "member"; readonly target: Expression; readonly name: string })
  | (Place & { readonly kind: "index"; readonly target: Expression; readonly index: Expression })
  | (Place & { readonly kind: "call"; readonly target: Expression; readonly args: readonly Expression[] })
  | (Place & { readonly kind: "not" | "negative"; readonly operand: Expression })
  | (Place & { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression })
  | (Place & Binary)
  | (Place & {
      readonly kind: "conditional";
      readonly condition: Expression;
      readonly then: Expression;
      readonly otherwise: Expression;
    });

interface Place {
  readonly at: number;
  readonly end: number;
  readonly depth: number;
}

export interface Binary {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export type BinaryOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%";

/** The parts of an expression that are evaluated by themselves, in the order of the text. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "list":
      return expression.items;
    case "member":
      return [expression.target];
    case "index":
      return [expression.target, expression.index];
    case "call":
      return [...(expression.target.kind === "member" ? [expression.target.target] : []), ...expression.args];
    case "not":
    case "negative":
      return [expression.operand];
    case "and":
    case "or":
    case "binary":
      return [expression.left, expression.right];
    case "conditional":
      return [expression.condition, expression.then, expression.otherwise];
    default:
      return [];
  }
}

const MAX_EXPRESSION_LENGTH = 65_536;
/** Also the longest chain of operators at one level, as in `a || b || c`. */
const MAX_EXPRESSION_DEPTH = 300;

/** How tightly operators bind, the loosest first. Strict equality is equality: nothing is converted. */
const LEVELS: readonly Readonly<Record<string, BinaryOperator | "and" | "or">>[] = [
  { "||": "or" },
  { "&&": "and" },
  { "==": "==", "===": "==", "!=": "!=", "!==": "!=" },
  { "<": "<", "<=": "<=", ">": ">", ">=": ">=" },
  { "+": "+", "-": "-" },
  { "*": "*", "/": "/", "%": "%" },
];

const ASSIGNMENTS = new Set(["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>="]);
const FOREIGN_OPERATORS = new Set(["&", "|", "^", "~", "<<", ">>", ">>>", "++", "--", "**"]);
const FOREIGN_WORDS = new Set(["in", "instanceof", "typeof", "void", "delete", "new"]);
const LITERALS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Reads an expression. Throws what `fail` makes, with offsets into the text. */
export function parseExpression(text: string, fail: Fail): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw fail(0, `Expression is longer than ${MAX_EXPRESSION_LENGTH} characters.`);
  }
  return new Parser(tokenize(text, fail), fail).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #fail: Fail;
  #next = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[], fail: Fail) {
    this.#tokens = tokens;
    this.#fail = fail;
  }

  whole(): Expression {
    const expression = this.#expression();
    const rest = this.#peek();
    if (rest.kind === "end") return expression;
    throw this.#unexpected(rest, rest.kind === "operator" ? "syntax error" : "missing ; before statement");
  }

  #expression(): Expression {
    if (++this.#nesting > MAX_EXPRESSION_DEPTH) throw this.#tooDeep(this.#peek().at);
    const condition = this.#binary(0);
    const expression = this.#takes("?") ? this.#conditional(condition) : condition;
    this.#nesting--;
    return expression;
  }

  #conditional(condition: Expression): Expression {
    const then = this.#expression();
    this.#expect(":", "missing : in conditional expression");
    const otherwise = this.#expression();
    const place = this.#span(condition.at, otherwise.end, [condition, then, otherwise]);
    return { kind: "conditional", condition, then, otherwise, ...place };
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    for (let operator = this.#operator(operators); operator; operator = this.#operator(operators)) {
      const right = this.#binary(level + 1);
      const place = this.#span(left.at, right.end, [left, right]);
      left =
        operator === "and" || operator === "or"
          ? { kind: operator, left, right, ...place }
          : { kind: "binary", operator, left, right, ...place };
    }
    return left;
  }

  #operator(
    operators: Readonly<Record<string, BinaryOperator | "and" | "or">>,
  ): BinaryOperator | "and" | "or" | undefined {
    const token = this.#peek();
    const operator = token.kind === "operator" ? operators[token.text] : undefined;
    if (operator) this.#next++;
    return operator;
  }

  #unary(): Expression {
    const { at } = this.#peek();
    const kind = this.#takes("!") ? "not" : this.#takes("-") ? "negative" : undefined;
    if (!kind) return this.#postfix();
    if (++this.#nesting > MAX_EXPRESSION_DEPTH) throw this.#tooDeep(at);
    const operand = this.#unary();
    this.#nesting--;
    return { kind, operand, ...this.#span(at, operand.end, [operand]) };
  }

  #postfix(): Expression {
    let target = this.#primary();
    for (;;) {
      if (this.#takes(".")) target = this.#member(target);
      else if (this.#takes("[")) target = this.#index(target);
      else if (this.#takes("(")) target = this.#call(target);
      else return target;
    }
  }

  #member(target: Expression): Expression {
    const token = this.#take();
    if (token.kind !== "name") throw this.#unexpected(token, "missing name after . operator");
    return { kind: "member", target, name: token.text, ...this.#span(target.at, token.end, [target]) };
  }

  /** `a['b']` is `a.b`. */
  #index(target: Expression): Expression {
    const index = this.#expression();
    const end = this.#expect("]", "missing ] in index expression");
    const place = this.#span(target.at, end, [target, index]);
    if (index.kind === "literal" && typeof index.value === "string") {
      return { kind: "member", target, name: index.value, ...place };
    }
    return { kind: "index", target, index, ...place };
  }

  #call(target: Expression): Expression {
    const { items, end } = this.#items(")", "missing ) after argument list");
    return { kind: "call", target, args: items, ...this.#span(target.at, end, [target, ...items]) };
  }

  #items(close: string, missing: string): { readonly items: Expression[]; readonly end: number } {
    const items: Expression[] = [];
    const { end } = this.#peek();
    if (this.#takes(close)) return { items, end };
    do items.push(this.#expression());
    while (this.#takes(","));
    return { items, end: this.#expect(close, missing) };
  }

  #primary(): Expression {
    const token = this.#take();
    const place = { at: token.at, end: token.end, depth: 1 };
    switch (token.kind) {
      case "number":
        return { kind: "literal", value: token.value, ...place };
      case "string":
        return { kind: "literal", value: token.text, ...place };
      case "pattern":
        return { kind: "pattern", pattern: this.#pattern(token), ...place };
      case "name":
        return this.#named(token.text, token, place);
      case "end":
        throw this.#fail(token.at, "Unexpected end of expression.");
      default:
        return this.#bracketed(token);
    }
  }

  #named(name: string, token: Token, place: Place): Expression {
    const value = LITERALS.get(name);
    if (value !== undefined) return { kind: "literal", value, ...place };
    if (FOREIGN_WORDS.has(name)) throw this.#unexpected(token, "");
    return { kind: "variable", name, ...place };
  }

  #bracketed(token: Token): Expression {
    const text = token.kind === "operator" ? token.text : "";
    if (text === "(") {
      const inner = this.#expression();
      this.#expect(")", "missing ) in parenthetical");
      return inner;
    }
    if (text !== "[") throw this.#unexpected(token, "syntax error");
    const { items, end } = this.#items("]", "missing ] after element list");
    return { kind: "list", items, ...this.#span(token.at, end, items) };
  }

  #pattern({ at, body, flags }: Token & { readonly kind: "pattern" }): Pattern {
    if (flags !== "" && flags !== "i") throw this.#fail(at, "regular expressions do not support flags other than i");
    try {
      return compilePattern(body, flags === "i");
    } catch (error) {
      if (error instanceof PatternError) throw this.#fail(at, error.message);
      throw error;
    }
  }

  #span(at: number, end: number, parts: readonly Expression[]): Place {
    const depth = 1 + parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0);
    if (depth > MAX_EXPRESSION_DEPTH) throw this.#tooDeep(at);
    return { at, end, depth };
  }

  /** Passes a token that must be there; answers with its end. */
  #expect(text: string, missing: string): number {
    const token = this.#peek();
    if (!this.#takes(text)) throw this.#unexpected(token, missing);
    return token.end;
  }

  #takes(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== "operator" || token.text !== text) return false;
    this.#next++;
    return true;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] ?? { kind: "end", at: 0, end: 0 };
  }

  #unexpected(token: Token, message: string): Error {
    const text = token.kind === "operator" || token.kind === "name" ? token.text : "";
    if (ASSIGNMENTS.has(text)) return this.#fail(token.at, "Rule expressions may not contain assignments.");
    if (FOREIGN_OPERATORS.has(text) || FOREIGN_WORDS.has(text)) {
      return this.#fail(token.at, `Rule expressions may not contain '${text}' operator.`);
    }
    return this.#fail(token.at, token.kind === "end" ? "Unexpected end of expression." : message);
  }

  #tooDeep(at: number): Error {
    return this.#fail(at, `Expression is nested deeper than ${MAX_EXPRESSION_DEPTH} levels.`);
  }
}
