import type { Fail } from "./source.ts";

/** The words of rule expressions: JavaScript's, as far as expressions need them. */

export type Token =
  | { readonly kind: "name" | "operator" | "string"; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: "number"; readonly value: number; readonly at: number; readonly end: number }
  | {
      readonly kind: "pattern";
      readonly body: string;
      readonly flags: string;
      readonly at: number;
      readonly end: number;
    }
  | { readonly kind: "end"; readonly at: number; readonly end: number };

const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const NAME = /[A-Za-z_$][\w$]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
/** The longest first. What rules may not contain is among them, so that it can be refused by its name. */
const OPERATOR =
  />>>=|===|!==|>>>|<<=|>>=|\*\*|&&|\|\||==|!=|<=|>=|\+\+|--|<<|>>|[-+*/%&|^]=|[-+*/%!<>=?:.,()[\]&|^~]/y;
/** A slash inside of a class does not end the literal. */
const PATTERN = /\/((?:[^\\/[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+)\/([A-Za-z]*)/y;
const ESCAPE = /u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S])/y;
const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** Takes an expression apart; the last token is its end. */
export function tokenize(text: string, fail: Fail): Token[] {
  const tokens: Token[] = [];
  let at = skip(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at, startsOperand(tokens.at(-1)), fail);
    tokens.push(token);
    at = skip(text, token.end);
  }
  tokens.push({ kind: "end", at: text.length, end: text.length });
  return tokens;
}

/** Whether an operand may follow the token, in which place a slash opens a pattern rather than divides. */
function startsOperand(previous: Token | undefined): boolean {
  if (!previous) return true;
  return previous.kind === "operator" && previous.text !== ")" && previous.text !== "]";
}

function tokenAt(text: string, at: number, operand: boolean, fail: Fail): Token {
  const first = text[at] ?? "";
  if (first === '"' || first === "'") return stringAt(text, at, fail);
  if (operand && first === "/") return patternAt(text, at, fail);
  const name = matchAt(NAME, text, at);
  if (name) return { kind: "name", text: name[0], at, end: at + name[0].length };
  const number = matchAt(NUMBER, text, at);
  if (number) return { kind: "number", value: Number(number[0]), at, end: at + number[0].length };
  const operator = matchAt(OPERATOR, text, at);
  if (operator) return { kind: "operator", text: operator[0], at, end: at + operator[0].length };
  throw fail(at, first === ";" ? "Rules must be a single expression." : "illegal character");
}

function patternAt(text: string, at: number, fail: Fail): Token {
  const found = matchAt(PATTERN, text, at);
  if (!found) throw fail(at, "unterminated regular expression literal");
  const [whole, body = "", flags = ""] = found;
  return { kind: "pattern", body, flags, at, end: at + whole.length };
}

function stringAt(text: string, at: number, fail: Fail): Token {
  const quote = text[at];
  let value = "";
  let next = at + 1;
  while (text[next] !== quote) {
    const character = text[next];
    if (character === undefined || character === "\n") throw fail(at, "unterminated string literal");
    if (character === "\\") {
      const found = matchAt(ESCAPE, text, next + 1);
      if (!found) throw fail(at, "unterminated string literal");
      value += unescaped(found);
      next += 1 + found[0].length;
    } else {
      value += character;
      next++;
    }
  }
  return { kind: "string", text: value, at, end: next + 1 };
}

function unescaped([, unicode, hex, letter = ""]: RegExpExecArray): string {
  const code = unicode ?? hex;
  return code === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16));
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function skip(text: string, at: number): number {
  return at + (matchAt(SPACE, text, at)?.[0].length ?? 0);
}
