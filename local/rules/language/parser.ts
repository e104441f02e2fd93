import { ExpressionParser } from "./expressions.ts";
import { type Finding, Unexpected } from "./issue.ts";
import { Lexer } from "./lexer.ts";
import {
  type Allow,
  type Binding,
  type Expression,
  type File,
  type FunctionSyntax,
  type Match,
  METHODS,
  type Method,
  type PatternSegment,
  type Service,
} from "./syntax.ts";

/** What `allow` can name, and what it stands for. Source: https://firebase.google.com/docs/rules/rules-language#method */
const ALLOWED: ReadonlyMap<string, readonly Method[]> = new Map<string, readonly Method[]>([
  ["read", ["get", "list"]],
  ["write", ["create", "update", "delete"]],
  ...METHODS.map((method): [string, readonly Method[]] => [method, [method]]),
]);

const SLASH = /\//y;
const WILDCARD = /\{\s*([A-Za-z_]\w*)\s*(=\s*\*{1,2}\s*)?\}/y;
const SEGMENT = /[\w\-.~%@+\u0080-\uffff]+|\(\s*\w+\s*\)/y;
/** `match` blocks the parser goes into; deeper than what is allowed, so that it is the check that refuses. */
const MAX_BLOCKS = 100;

/** Words with which statements begin. */
const STATEMENTS = ["match", "allow", "function", "service", "let", "return"];

/** What the statements of a block are. */
interface Block {
  readonly functions: FunctionSyntax[];
  readonly allows: Allow[];
  readonly matches: Match[];
}

type Statement = (block: Block) => void;

/** Reads a source as far as it can be read. What was wrong is in `findings`; the file is what could be made of the rest. */
export function parseFile(source: string): { file: File; findings: readonly Finding[] } {
  const lexer = new Lexer(source);
  const file = new FileParser(lexer).file();
  return { file, findings: lexer.findings };
}

class FileParser {
  readonly #lexer: Lexer;
  readonly #expressions: ExpressionParser;
  #blocks = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
    this.#expressions = new ExpressionParser(lexer);
  }

  file(): File {
    const version = this.#attempt(() => this.#version()) ?? 1;
    const functions: FunctionSyntax[] = [];
    const services: Service[] = [];
    while (this.#lexer.peek().kind !== "end") {
      this.#attempt(() => {
        if (this.#lexer.sees("function")) functions.push(this.#function());
        else if (this.#lexer.sees("service")) services.push(this.#service());
        else throw this.#lexer.unexpected("'service' or 'function'");
      });
    }
    return { version, functions, services };
  }

  /** Runs the parser of a statement. If it fails, reports that and goes on behind the statement. */
  #attempt<T>(statement: () => T): T | undefined {
    const { start } = this.#lexer.peek();
    const { braces } = this.#lexer;
    try {
      return statement();
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      this.#lexer.report(error.start, error.message);
      if (this.#lexer.peek().start === start) this.#lexer.next();
      this.#skipStatement(braces);
      return undefined;
    }
  }

  /** Goes to where the next statement of a block begins, or the block ends. */
  #skipStatement(braces: number): void {
    while (this.#lexer.peek().kind !== "end") {
      const inside = this.#lexer.braces > braces;
      if (!inside && (this.#lexer.sees("}") || this.#seesStatement())) return;
      if (this.#lexer.next().text === ";" && !inside) return;
    }
  }

  #seesStatement(): boolean {
    return STATEMENTS.some((word) => this.#lexer.sees(word));
  }

  #version(): 1 | 2 {
    if (!this.#lexer.accept("rules_version")) return 1;
    this.#lexer.expect("=");
    const token = this.#lexer.next();
    const version = token.kind === "literal" ? token.value : undefined;
    if (version !== "1" && version !== "2") {
      throw new Unexpected(token.start, `Invalid rules version ${token.text}. Expected '1' or '2'.`);
    }
    this.#lexer.accept(";");
    return version === "2" ? 2 : 1;
  }

  #service(): Service {
    const { start } = this.#lexer.expect("service");
    const names = [this.#lexer.expectName("the name of a service").text];
    while (this.#lexer.accept(".")) names.push(this.#lexer.expectName("the name of a service").text);
    const block = this.#block("'match' or 'function'", ({ functions, matches }) => {
      if (this.#lexer.sees("match")) matches.push(this.#match());
      else if (this.#lexer.sees("function")) functions.push(this.#function());
      else throw this.#strange("'match' or 'function'");
    });
    return { name: names.join("."), ...block, start, end: this.#lexer.end };
  }

  #match(): Match {
    const { start } = this.#lexer.expect("match");
    const pattern = this.#pattern();
    if (this.#blocks >= MAX_BLOCKS) throw new Unexpected(start, "Too many match blocks inside each other.");
    this.#blocks++;
    try {
      return { pattern, ...this.#matchBlock(), start, end: this.#lexer.end };
    } finally {
      this.#blocks--;
    }
  }

  #matchBlock(): Block {
    return this.#block("'allow', 'match' or 'function'", ({ functions, allows, matches }) => {
      if (this.#lexer.sees("allow")) allows.push(this.#allow());
      else if (this.#lexer.sees("match")) matches.push(this.#match());
      else if (this.#lexer.sees("function")) functions.push(this.#function());
      else throw this.#strange("'allow', 'match' or 'function'");
    });
  }

  #block(expected: string, statement: Statement): Block {
    const block: Block = { functions: [], allows: [], matches: [] };
    this.#lexer.expect("{");
    while (!this.#lexer.accept("}")) {
      if (this.#lexer.peek().kind === "end") throw this.#lexer.unexpected(`${expected}, or '}'`);
      this.#attempt(() => statement(block));
    }
    return block;
  }

  #strange(expected: string): Unexpected {
    if (!this.#lexer.sees("/")) return this.#lexer.unexpected(expected);
    return new Unexpected(this.#lexer.peek().start, "Missing 'match' keyword before path.");
  }

  #pattern(): PatternSegment[] {
    const pattern: PatternSegment[] = [];
    this.#lexer.expect("/");
    do pattern.push(this.#patternSegment());
    while (this.#lexer.raw(SLASH));
    return pattern;
  }

  #patternSegment(): PatternSegment {
    const wildcard = this.#lexer.raw(WILDCARD);
    if (wildcard) {
      const [, name = "", glob] = wildcard;
      return { kind: glob?.includes("**") ? "rest" : "capture", name };
    }
    const literal = this.#lexer.raw(SEGMENT);
    if (!literal) throw this.#lexer.unexpected("a segment of a path, as name or {name}");
    return { kind: "literal", text: literal[0] };
  }

  #allow(): Allow {
    const { start } = this.#lexer.expect("allow");
    const methods = new Set<Method>();
    do this.#method(methods);
    while (this.#lexer.accept(","));
    const condition = this.#lexer.accept(":") ? this.#condition() : undefined;
    const { end } = this.#lexer;
    this.#endStatement();
    return { methods, ...(condition && { condition }), start, end };
  }

  #method(methods: Set<Method>): void {
    const { text, start } = this.#lexer.expectName("a method, as read or create");
    const meant = ALLOWED.get(text);
    if (!meant) this.#lexer.report(start, `Invalid method '${text}'. Expected read, write, ${METHODS.join(", ")}.`);
    for (const method of meant ?? []) methods.add(method);
  }

  #condition(): Expression {
    this.#lexer.expect("if");
    return this.#expressions.parse();
  }

  /** The semicolon may be left out where it is plain that a statement ends. */
  #endStatement(): void {
    if (this.#lexer.accept(";")) return;
    if (this.#lexer.sees("}") || this.#seesStatement()) return;
    if (this.#lexer.sees("/")) throw this.#strange("';'");
    throw this.#lexer.unexpected("';'");
  }

  #function(): FunctionSyntax {
    const { start } = this.#lexer.expect("function");
    const name = this.#lexer.expectName("the name of a function").text;
    const parameters = this.#parameters();
    this.#lexer.expect("{");
    const lets: Binding[] = [];
    const before = this.#lexer.findings.length;
    let result: Expression | undefined;
    while (!this.#lexer.accept("}")) {
      if (this.#lexer.peek().kind === "end") throw this.#lexer.unexpected("'}'");
      this.#attempt(() => {
        if (result) throw this.#lexer.unexpected("'}'");
        if (this.#lexer.sees("let")) lets.push(this.#let());
        else result = this.#return();
      });
    }
    const { end } = this.#lexer;
    if (!result && this.#lexer.findings.length === before) {
      this.#lexer.report(end - 1, `Function ${name} has no return statement.`);
    }
    return { name, parameters, lets, result: result ?? { kind: "literal", value: null, start, end }, start, end };
  }

  #return(): Expression {
    if (!this.#lexer.accept("return")) throw this.#lexer.unexpected("'let' or 'return'");
    const result = this.#expressions.parse();
    this.#endStatement();
    return result;
  }

  #parameters(): string[] {
    const parameters: string[] = [];
    this.#lexer.expect("(");
    while (!this.#lexer.accept(")")) {
      if (parameters.length > 0) this.#lexer.expect(",");
      parameters.push(this.#lexer.expectName("the name of a parameter").text);
    }
    return parameters;
  }

  #let(): Binding {
    const { start } = this.#lexer.expect("let");
    const name = this.#lexer.expectName("the name of a variable").text;
    this.#lexer.expect("=");
    const value = this.#expressions.parse();
    const { end } = this.#lexer;
    this.#endStatement();
    return { name, value, start, end };
  }
}
