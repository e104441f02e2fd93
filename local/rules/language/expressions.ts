import { Unexpected } from "./issue.ts";
import type { Lexer, Token } from "./lexer.ts";
import { LIMITS } from "./limits.ts";
import { type BinaryOperator, childrenOf, type Entry, type Expression } from "./syntax.ts";

/**
 * From the loosest to the tightest; operators of one level group from the left.
 * Source: https://firebase.google.com/docs/reference/rules/rules (operators, in order of precedence)
 */
const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["in", "is"],
  ["<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];

const PRECEDENCE: ReadonlyMap<string, number> = new Map(
  LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level])),
);

const CONSTANTS: ReadonlyMap<string, null | boolean> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

/** Words that cannot be the name of a variable. */
const WORDS = new Set(["in", "is", "if", "let", "return", "function", "match", "allow", "service"]);

const SEGMENT = /[\w\-~%@+\u0080-\uffff]+|\(\s*\w+\s*\)/y;
const SLASH = /\//y;
const OPENING = /\$\(/y;

const TOO_COMPLEX = "Expression is too complex to evaluate safely.";
/** Parentheses and the like that the parser goes into before it gives up; what is refused for nesting is far below. */
const MAX_PARSE_DEPTH = 2 * LIMITS.nesting;

/** How far things are put inside each other in an expression. */
interface Size {
  /** As production counts: parentheses, operators, lists, maps and calls. */
  readonly levels: number;
  readonly depth: number;
}

/** Reads expressions. Throws {@link Unexpected} at the first thing that does not fit. */
export class ExpressionParser {
  readonly #lexer: Lexer;
  readonly #sizes = new WeakMap<Expression, Size>();
  #depth = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
  }

  parse(): Expression {
    this.#depth = 0;
    return this.#expression();
  }

  #expression(): Expression {
    if (++this.#depth > MAX_PARSE_DEPTH) throw new Unexpected(this.#lexer.peek().start, TOO_COMPLEX);
    const expression = this.#ternary();
    this.#depth--;
    return expression;
  }

  #ternary(): Expression {
    const condition = this.#binary(0);
    if (!this.#lexer.accept("?")) return condition;
    const yes = this.#expression();
    this.#lexer.expect(":");
    const no = this.#expression();
    return this.#sized({ kind: "ternary", condition, yes, no, start: condition.start, end: no.end });
  }

  #binary(lowest: number): Expression {
    let left = this.#unary();
    for (;;) {
      const level = this.#operatorLevel();
      if (level === undefined || level < lowest) return left;
      const operator = this.#lexer.next();
      left = this.#sized(operator.text === "is" ? this.#is(left) : this.#operation(operator, left, level));
    }
  }

  #operatorLevel(): number | undefined {
    const token = this.#lexer.peek();
    if (token.kind !== "symbol" && token.kind !== "name") return undefined;
    return PRECEDENCE.get(token.text);
  }

  #is(operand: Expression): Expression {
    const type = this.#lexer.expectName("the name of a type");
    return { kind: "is", operand, type: type.text, start: operand.start, end: type.end };
  }

  #operation(operator: Token, left: Expression, level: number): Expression {
    if (operator.text === "/" && startsPath(this.#lexer.source, operator)) {
      throw new Unexpected(operator.start, "Missing 'match' keyword before path.");
    }
    const right = this.#binary(level + 1);
    const span = { start: left.start, end: right.end };
    if (operator.text === "&&" || operator.text === "||") {
      return { kind: "logical", operator: operator.text, left, right, ...span };
    }
    return { kind: "binary", operator: operator.text as BinaryOperator, left, right, ...span };
  }

  #unary(): Expression {
    const operators: Token[] = [];
    while (this.#lexer.sees("!") || this.#lexer.sees("-")) operators.push(this.#lexer.next());
    return operators.reduceRight<Expression>(
      (operand, { text, start }) =>
        this.#sized({ kind: "unary", operator: text as "!" | "-", operand, start, end: operand.end }),
      this.#postfix(),
    );
  }

  #postfix(): Expression {
    let target = this.#primary();
    for (;;) {
      if (this.#lexer.accept(".")) target = this.#sized(this.#member(target));
      else if (this.#lexer.accept("[")) target = this.#sized(this.#index(target));
      else return target;
    }
  }

  #member(target: Expression): Expression {
    const name = this.#lexer.expectName("the name of a field or method");
    const { start } = target;
    if (!this.#lexer.accept("(")) return { kind: "member", target, name: name.text, start, end: name.end };
    const values = this.#expressions(")");
    return { kind: "method", target, name: name.text, values, start, end: this.#lexer.end };
  }

  #index(target: Expression): Expression {
    const key = this.#expression();
    const to = this.#lexer.accept(":") ? this.#expression() : undefined;
    const { end } = this.#lexer.expect("]");
    const { start } = target;
    return to ? { kind: "range", target, from: key, to, start, end } : { kind: "index", target, key, start, end };
  }

  #primary(): Expression {
    const token = this.#lexer.peek();
    const { start, end } = token;
    if (token.kind === "literal") {
      this.#lexer.next();
      return { kind: "literal", value: token.value, start, end };
    }
    if (token.kind === "name") return this.#name();
    if (token.kind === "symbol") {
      if (this.#lexer.accept("(")) return this.#group(start);
      if (this.#lexer.accept("[")) return this.#list(start);
      if (this.#lexer.accept("{")) return this.#map(start);
      if (token.text === "/") return this.#sized(this.#path(start));
    }
    throw this.#lexer.unexpected("an expression");
  }

  #name(): Expression {
    if (WORDS.has(this.#lexer.peek().text)) throw this.#lexer.unexpected("an expression");
    const { text, start, end } = this.#lexer.next();
    const constant = CONSTANTS.get(text);
    if (constant !== undefined) return { kind: "literal", value: constant, start, end };
    if (!this.#lexer.accept("(")) return { kind: "name", name: text, start, end };
    const values = this.#expressions(")");
    return this.#sized({ kind: "call", name: text, values, start, end: this.#lexer.end });
  }

  #group(start: number): Expression {
    const inner = this.#expression();
    const { end } = this.#lexer.expect(")");
    const { levels, depth } = this.#sizeOf(inner);
    const group = { ...inner, start, end };
    this.#remember(group, { levels: levels + 1, depth });
    return group;
  }

  #list(start: number): Expression {
    const items = this.#expressions("]");
    return this.#sized({ kind: "list", items, start, end: this.#lexer.end });
  }

  #map(start: number): Expression {
    const entries: Entry[] = [];
    while (!this.#lexer.accept("}")) {
      if (entries.length > 0) this.#lexer.expect(",");
      const key = this.#expression();
      this.#lexer.expect(":");
      entries.push({ key, value: this.#expression() });
    }
    return this.#sized({ kind: "map", entries, start, end: this.#lexer.end });
  }

  #expressions(closing: string): Expression[] {
    const expressions: Expression[] = [];
    while (!this.#lexer.accept(closing)) {
      if (expressions.length > 0) this.#lexer.expect(",");
      expressions.push(this.#expression());
    }
    return expressions;
  }

  #path(start: number): Expression {
    const segments: (string | Expression)[] = [];
    this.#lexer.next();
    do segments.push(this.#segment());
    while (this.#lexer.raw(SLASH));
    return { kind: "path", segments, start, end: this.#lexer.end };
  }

  #segment(): string | Expression {
    if (this.#lexer.raw(OPENING)) {
      const segment = this.#expression();
      this.#lexer.expect(")");
      return segment;
    }
    const literal = this.#lexer.raw(SEGMENT);
    if (!literal) throw this.#lexer.unexpected("a segment of a path");
    return literal[0];
  }

  #sized(expression: Expression): Expression {
    const sizes = childrenOf(expression).map((child) => this.#sizeOf(child));
    const levels = sizes.reduce((most, size) => Math.max(most, size.levels), 0);
    const depth = sizes.reduce((most, size) => Math.max(most, size.depth), 0);
    this.#remember(expression, { levels: addsLevel(expression) ? levels + 1 : levels, depth: depth + 1 });
    return expression;
  }

  #remember(expression: Expression, size: Size): void {
    if (size.levels > LIMITS.nesting || size.depth > LIMITS.depth) throw new Unexpected(expression.start, TOO_COMPLEX);
    this.#sizes.set(expression, size);
  }

  #sizeOf(expression: Expression): Size {
    return this.#sizes.get(expression) ?? { levels: 1, depth: 1 };
  }
}

function addsLevel({ kind }: Expression): boolean {
  return ["binary", "logical", "is", "list", "map", "call"].includes(kind);
}

/** A slash divides only if space follows it: production reads any other as the start of a path. */
function startsPath(source: string, { end }: Token): boolean {
  return /\S/.test(source[end] ?? " ");
}
