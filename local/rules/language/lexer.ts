import type { RulesValue } from "../value.ts";
import { type Finding, Unexpected } from "./issue.ts";
import type { Span } from "./syntax.ts";

export type Token = Span & { readonly text: string } & (
    | { readonly kind: "name" | "symbol" | "end" }
    | { readonly kind: "literal"; readonly value: RulesValue }
  );

const MAX_INTEGER = 2n ** 63n - 1n;

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:\d+\.\d+|\.\d+|\d+(?=[eE][+-]?\d))(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+|\d+/y;
const QUOTED = /(b?)(?:"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)')/y;
const SYMBOL = /&&|\|\||[=!<>]=|[<>=!+\-*/%?:;,.()[\]{}$]/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g;
/** `\/` is not one of them: production refuses it. */
const ESCAPED: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Cuts a source into tokens as they are asked for: what `/` begins depends on what was read before. */
export class Lexer {
  readonly source: string;
  readonly findings: Finding[] = [];
  #at = 0;
  #next: Token | undefined;
  #last: Span = { start: 0, end: 0 };
  #braces = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The next token, which stays the next. */
  peek(): Token {
    this.#next ??= this.#read();
    return this.#next;
  }

  next(): Token {
    const token = this.peek();
    this.#next = undefined;
    this.#last = token;
    if (token.kind === "symbol" && token.text === "{") this.#braces++;
    if (token.kind === "symbol" && token.text === "}") this.#braces--;
    return token;
  }

  /** How many braces are open. */
  get braces(): number {
    return this.#braces;
  }

  /** Where the token that was taken last ends. */
  get end(): number {
    return this.#last.end;
  }

  /** Whether the next token is this symbol or word. */
  sees(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === "symbol" || token.kind === "name");
  }

  /** Takes the next token if it is this symbol or word. */
  accept(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next();
    return true;
  }

  expect(text: string): Token {
    if (!this.sees(text)) throw this.unexpected(`'${text}'`);
    return this.next();
  }

  expectName(what: string): Token {
    const token = this.peek();
    if (token.kind !== "name") throw this.unexpected(what);
    return this.next();
  }

  unexpected(expected: string): Unexpected {
    const { kind, text, start } = this.peek();
    const found = kind === "end" ? "end of file" : `'${text}'`;
    return new Unexpected(start, `Unexpected ${found}. Expected ${expected}.`);
  }

  /** Notes what is wrong; of the same place only the first. */
  report(start: number, description: string): void {
    if (this.findings.at(-1)?.start !== start) this.findings.push({ start, description });
  }

  /** Reads by a sticky expression directly behind the last token, without skipping space. */
  raw(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.end;
    const found = pattern.exec(this.source);
    if (!found) return undefined;
    this.#next = undefined;
    this.#at = pattern.lastIndex;
    this.#last = { start: found.index, end: this.#at };
    return found;
  }

  #read(): Token {
    for (;;) {
      this.#skipSpace();
      const start = this.#at;
      if (start >= this.source.length) return { kind: "end", text: "", start, end: start };
      const token =
        this.#quoted(start) ?? this.#number(start) ?? this.#plain("name", NAME) ?? this.#plain("symbol", SYMBOL);
      if (token) return token;
      if (/["']/.test(this.source[start] ?? "")) return this.#openString(start);
      this.#skipUnknown(start);
    }
  }

  #skipSpace(): void {
    this.#take(SPACE);
    if (!this.source.startsWith("/*", this.#at)) return;
    this.report(this.#at, "Comment is not closed.");
    this.#at = this.source.length;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.source);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  #plain(kind: "name" | "symbol", pattern: RegExp): Token | undefined {
    const found = this.#take(pattern);
    return found && { kind, text: found[0], start: found.index, end: this.#at };
  }

  #skipUnknown(start: number): void {
    const character = String.fromCodePoint(this.source.codePointAt(start) ?? 0);
    this.report(start, `Unexpected '${character}'.`);
    this.#at += character.length;
  }

  #openString(start: number): Token {
    const newline = this.source.indexOf("\n", start);
    this.#at = newline < 0 ? this.source.length : newline;
    this.report(start, "String is not closed.");
    return { kind: "literal", text: this.source.slice(start, this.#at), value: "", start, end: this.#at };
  }

  #number(start: number): Token | undefined {
    const found = this.#take(NUMBER);
    if (!found) return undefined;
    const text = found[0];
    const hexadecimal = /^0[xX]/.test(text);
    const value = !hexadecimal && /[.eE]/.test(text) ? Number(text) : BigInt(text);
    if (typeof value === "bigint" && value > MAX_INTEGER) this.report(start, `Integer ${text} is out of range.`);
    return { kind: "literal", text, value, start, end: this.#at };
  }

  #quoted(start: number): Token | undefined {
    const found = this.#take(QUOTED);
    if (!found) return undefined;
    const [text, prefix, double, single] = found;
    const content = this.#unescape(double ?? single ?? "", start, prefix === "b");
    const value = prefix === "b" ? bytesOf(content) : content;
    return { kind: "literal", text, value, start, end: this.#at };
  }

  #unescape(content: string, start: number, bytes: boolean): string {
    return content.replace(ESCAPE, (text, hex, short, long, octal, single) => {
      if (single !== undefined) return ESCAPED[single as string] ?? this.#badEscape(text as string, start);
      const code = octal ? Number.parseInt(octal as string, 8) : Number.parseInt((hex ?? short ?? long) as string, 16);
      if (code > 0x10ffff || (bytes && !hex && !octal)) return this.#badEscape(text as string, start);
      return String.fromCodePoint(code);
    });
  }

  #badEscape(text: string, start: number): string {
    this.report(start, `Invalid escape sequence '${text}'.`);
    return "";
  }
}

/** Escapes of a bytes literal are bytes; characters beyond them are their UTF-8. */
function bytesOf(content: string): Uint8Array {
  const latin = /^[\0-\xff]*$/.test(content);
  return Uint8Array.from(Buffer.from(content, latin ? "latin1" : "utf8"));
}
