import { type DatabaseRulesError, errorAt } from "./source.ts";

/**
 * The dialect of JSON that rules files are written in: with comments, commas behind the last entry, and strings that go over
 * several lines. Everything read knows where it stood.
 * Source: https://firebase.google.com/docs/database/security/core-syntax
 */

export type Json = JsonObject | JsonList | JsonString | JsonScalar;

export interface JsonObject {
  readonly kind: "object";
  readonly at: number;
  /** The offset of the closing brace. */
  readonly end: number;
  readonly entries: readonly JsonEntry[];
}

export interface JsonEntry {
  readonly key: JsonString;
  readonly value: Json;
}

export interface JsonList {
  readonly kind: "list";
  readonly at: number;
  readonly items: readonly Json[];
}

export interface JsonString {
  readonly kind: "string";
  readonly at: number;
  readonly text: string;
  /** Where in the file each UTF-16 unit of the text stands, and behind them the closing quote. */
  readonly offsets: readonly number[];
}

export interface JsonScalar {
  readonly kind: "scalar";
  readonly at: number;
  readonly value: number | boolean | null;
}

/** Rules may be 32 levels deep; the file has the object around them and a list of indexes below. */
const MAX_DEPTH = 36;
const SPACE = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEX = /[0-9a-fA-F]{4}/y;
const WORDS: readonly (readonly [string, boolean | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Reads an object and nothing else. Throws `DatabaseRulesError` where the text is not one. */
export function readJson(text: string): JsonObject {
  const reader = new Reader(text);
  return reader.document();
}

/** What JSON without comments says the same. */
export function toPlain(json: Json): unknown {
  switch (json.kind) {
    case "object":
      return Object.fromEntries(json.entries.map(({ key, value }) => [key.text, toPlain(value)]));
    case "list":
      return json.items.map(toPlain);
    case "string":
      return json.text;
    case "scalar":
      return json.value;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonObject {
    this.#skip();
    if (this.#peek() !== "{") throw this.#fail("Parse error.");
    const object = this.#object();
    this.#skip();
    if (this.#at < this.#text.length) throw this.#fail("Parse error.");
    return object;
  }

  #value(): Json {
    const next = this.#peek();
    if (next === "{") return this.#object();
    if (next === "[") return this.#list();
    if (next === '"') return this.#string();
    return this.#scalar();
  }

  #object(): JsonObject {
    const at = this.#open();
    const entries: JsonEntry[] = [];
    if (this.#peek() === ",") throw this.#fail("Unexpected ','.");
    while (this.#peek() !== "}") {
      const key = this.#string();
      this.#expect(":");
      entries.push({ key, value: this.#value() });
      this.#separator("}");
    }
    const end = this.#close();
    return { kind: "object", at, end, entries };
  }

  #list(): JsonList {
    const at = this.#open();
    const items: Json[] = [];
    if (this.#peek() === ",") throw this.#fail("Unexpected ','.");
    while (this.#peek() !== "]") {
      items.push(this.#value());
      this.#separator("]");
    }
    this.#close();
    return { kind: "list", at, items };
  }

  #open(): number {
    const at = this.#at++;
    if (++this.#depth > MAX_DEPTH) throw errorAt(this.#text, at, `Nested deeper than ${MAX_DEPTH} levels.`);
    this.#skip();
    return at;
  }

  #close(): number {
    this.#depth--;
    return this.#at++;
  }

  /** Passes the comma behind an entry; without one the entry must have been the last. */
  #separator(end: string): void {
    this.#skip();
    if (this.#peek() === end) return;
    if (this.#peek() !== ",") throw this.#fail(`Expected ',' or '${end}'.`);
    this.#at++;
    this.#skip();
  }

  #expect(what: string): void {
    this.#skip();
    if (this.#peek() !== what) throw this.#fail(`Expected '${what}'.`);
    this.#at++;
    this.#skip();
  }

  #string(): JsonString {
    const at = this.#at;
    if (this.#peek() !== '"') throw this.#fail(`Expected '"'.`);
    this.#at++;
    let text = "";
    const offsets: number[] = [];
    while (this.#peek() !== '"') {
      if (this.#at >= this.#text.length) throw errorAt(this.#text, at, "Unterminated string.");
      offsets.push(this.#at);
      text += this.#peek() === "\\" ? this.#escape() : this.#text[this.#at++];
    }
    offsets.push(this.#at++);
    return { kind: "string", at, text, offsets };
  }

  #escape(): string {
    const at = this.#at++;
    const letter = this.#text[this.#at++] ?? "";
    if (letter === "u") {
      HEX.lastIndex = this.#at;
      const [hex] = HEX.exec(this.#text) ?? [];
      if (hex !== undefined) {
        this.#at += hex.length;
        return String.fromCharCode(Number.parseInt(hex, 16));
      }
    }
    const meant = ESCAPES[letter];
    if (meant === undefined) throw errorAt(this.#text, at, `Invalid escape: '\\${letter}'`);
    return meant;
  }

  #scalar(): JsonScalar {
    const at = this.#at;
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, at)) continue;
      this.#at += word.length;
      return { kind: "scalar", at, value };
    }
    NUMBER.lastIndex = at;
    const [number] = NUMBER.exec(this.#text) ?? [];
    if (number === undefined) throw this.#fail("Parse error.");
    this.#at += number.length;
    return { kind: "scalar", at, value: Number(number) };
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #fail(message: string): DatabaseRulesError {
    return errorAt(this.#text, this.#at, message);
  }
}
