import { RE2JS } from "re2js";

/**
 * Regular expressions of rules: a small language of its own, turned into that of RE2, whose matching takes time linear in the
 * string. `^` stands only in front and `$` only at the end; a backslash makes every character mean itself but for the sets
 * `\s \w \d \S \W \D`; the characters of repetition, where there is nothing to repeat, mean themselves.
 * Source: https://firebase.google.com/docs/database/security/regex
 */

const MAX_PATTERN_LENGTH = 4_096;
const MAX_GROUPS_DEEP = 100;
/** RE2 repeats nothing more often. */
const MAX_REPEATS = 1_000;
const SETS = new Set(["s", "w", "d", "S", "W", "D"]);
const REPEAT = /[*+?]|\{(\d+)(?:(,)(\d*))?\}/y;
/** May open a pattern or a group as themselves. */
const LITERAL_IN_FRONT = new Set(["*", "+", "?", "{", "|"]);

/** A pattern that is no regular expression of rules. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

export interface Pattern {
  /** Whether the pattern is found anywhere in the text. */
  matches(text: string): boolean;
}

/** Compiles what stands between the slashes. Throws `PatternError`. */
export function compilePattern(body: string, ignoreCase: boolean): Pattern {
  if (body.length > MAX_PATTERN_LENGTH) throw new PatternError("regular expression literal is too long");
  const source = new Translator(body).pattern();
  const flags = RE2JS.DOTALL | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  try {
    const compiled = RE2JS.compile(source, flags);
    return { matches: (text) => compiled.test(text) };
  } catch {
    throw new PatternError("invalid regular expression literal");
  }
}

class Translator {
  readonly #body: string;
  #at = 0;
  #depth = 0;

  constructor(body: string) {
    this.#body = body;
  }

  pattern(): string {
    const start = this.#take("^") ? "^" : "";
    const middle = this.#alternatives(start === "");
    const end = this.#take("$") ? "$" : "";
    if (this.#at < this.#body.length)
      throw new PatternError(`unexpected '${this.#body[this.#at]}' in regular expression`);
    if (middle === "" && start + end === "") throw new PatternError("empty regular expression");
    return `${start}(?:${middle})${end}`;
  }

  #alternatives(literalInFront: boolean): string {
    let source = literalInFront ? this.#literalInFront() : "";
    source += this.#sequence();
    while (this.#take("|")) {
      const next = this.#sequence();
      if (source === "" || next === "") throw new PatternError("empty alternative in regular expression");
      source += `|${next}`;
    }
    return source;
  }

  #literalInFront(): string {
    const next = this.#body[this.#at] ?? "";
    if (!LITERAL_IN_FRONT.has(next)) return "";
    this.#at++;
    return this.#repeated(`\\${next}`);
  }

  #sequence(): string {
    let source = "";
    for (let next = this.#body[this.#at]; next !== undefined && !this.#ends(next); next = this.#body[this.#at]) {
      source += this.#repeated(this.#element(next));
    }
    return source;
  }

  #ends(next: string): boolean {
    return next === "|" || next === ")" || (next === "$" && this.#at === this.#body.length - 1);
  }

  #element(next: string): string {
    const character = this.#character();
    switch (next) {
      case "(":
        return this.#group();
      case "[":
        return this.#set();
      case "\\":
        return this.#escaped(false);
      case ".":
        return ".";
      case "^":
      case "$":
        throw new PatternError(
          `'${next}' is only supported at the ${next === "^" ? "start" : "end"} of a regular expression`,
        );
      case "*":
      case "+":
      case "?":
      case "{":
        throw new PatternError(`'${next}' repeats nothing in regular expression`);
      default:
        return literal(character);
    }
  }

  #group(): string {
    if (++this.#depth > MAX_GROUPS_DEEP) throw new PatternError("regular expression is nested too deeply");
    const inner = this.#alternatives(true);
    if (!this.#take(")")) throw new PatternError("missing ) in regular expression");
    if (inner === "") throw new PatternError("empty group in regular expression");
    this.#depth--;
    return `(?:${inner})`;
  }

  /** Adds the repetitions that follow, each of which repeats all in front of it. */
  #repeated(element: string): string {
    let source = element;
    for (let count = 0; ; count++) {
      REPEAT.lastIndex = this.#at;
      const found = REPEAT.exec(this.#body);
      if (!found) return source;
      if (count > 0) source = `(?:${source})`;
      this.#at = REPEAT.lastIndex;
      checkRepeats(found[1], found[3]);
      source += found[0];
    }
  }

  #set(): string {
    const negated = this.#take("^") ? "^" : "";
    let source = "";
    while (!this.#take("]")) {
      if (this.#at >= this.#body.length) throw new PatternError("unterminated character class");
      source += this.#setItem();
    }
    if (source === "") throw new PatternError("empty character class");
    return `[${negated}${source}]`;
  }

  #setItem(): string {
    const first = this.#setCharacter();
    const isRange = this.#body[this.#at] === "-" && ![undefined, "]"].includes(this.#body[this.#at + 1]);
    if (!isRange || first.isSet) return first.source;
    this.#at++;
    const last = this.#setCharacter();
    if (last.isSet) throw new PatternError("invalid range in character class");
    return `${first.source}-${last.source}`;
  }

  #setCharacter(): { readonly source: string; readonly isSet: boolean } {
    const next = this.#character();
    if (next !== "\\") return { source: literal(next), isSet: false };
    const source = this.#escaped(true);
    return { source, isSet: SETS.has(source.slice(1)) };
  }

  #escaped(inSet: boolean): string {
    if (this.#at >= this.#body.length) throw new PatternError("unterminated escape in regular expression");
    const next = this.#character();
    if (SETS.has(next)) return `\\${next}`;
    return inSet && next === "-" ? "\\-" : literal(next);
  }

  /** The next character, whole even outside of the basic plane. */
  #character(): string {
    const character = String.fromCodePoint(this.#body.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }

  #take(character: string): boolean {
    if (this.#body[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

function checkRepeats(least: string | undefined, most: string | undefined): void {
  if (Number(least ?? 0) > MAX_REPEATS || Number(most || 0) > MAX_REPEATS) {
    throw new PatternError(`regular expression repeats more than ${MAX_REPEATS} times`);
  }
}

/** A character that means itself, in a set or out of it. */
function literal(character: string): string {
  return /^[!-/:-@[-`{-~]$/.test(character) ? `\\${character}` : character;
}
