import { checkRule, type RuleKind } from "./check.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { type Json, type JsonEntry, type JsonObject, type JsonString, readJson } from "./json.ts";
import { errorAt } from "./source.ts";

/** The rules of one location and of those below it. */
export interface RuleNode {
  readonly rules: Readonly<Partial<Record<RuleKind, Rule>>>;
  readonly indexes: readonly string[];
  readonly children: ReadonlyMap<string, RuleNode>;
  /** For the children without rules of their own. */
  readonly wildcard: Wildcard | undefined;
  /** Whether there is a `.validate` here or below. */
  readonly validates: boolean;
}

export interface Wildcard {
  /** With its dollar. */
  readonly name: string;
  readonly node: RuleNode;
}

export interface Rule {
  readonly text: string;
  readonly expression: Expression;
  /** Where in the file a UTF-16 unit of the text stands, or what follows the last. */
  readonly place: (offset: number) => number;
}

/** Source: https://firebase.google.com/docs/database/usage/limits */
const MAX_SOURCE_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
const NOT_IN_KEYS = /[.#$/[\]]/;
const KINDS: ReadonlyMap<string, RuleKind> = new Map<string, RuleKind>([
  [".read", "read"],
  [".write", "write"],
  [".validate", "validate"],
]);

/** Reads and checks a rules file. Throws `DatabaseRulesError`. */
export function readRules(text: string): RuleNode {
  if (Buffer.byteLength(text) > MAX_SOURCE_BYTES) {
    throw errorAt(text, 0, `Rules are larger than ${MAX_SOURCE_BYTES} bytes.`);
  }
  const file = readJson(text);
  const rules = file.entries.findLast(({ key }) => key.text === "rules");
  if (!rules) throw errorAt(text, file.end, "Expected 'rules' property.");
  return new TreeReader(text).node(asObject(text, rules.value), { variables: new Set(), depth: 0 });
}

interface Location {
  /** The `$variables` of the path to here. */
  readonly variables: ReadonlySet<string>;
  readonly depth: number;
}

class TreeReader {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  node(object: JsonObject, location: Location): RuleNode {
    if (location.depth > MAX_DEPTH) throw errorAt(this.#text, object.at, `Rules are deeper than ${MAX_DEPTH} levels.`);
    const rules: Partial<Record<RuleKind, Rule>> = {};
    let indexes: readonly string[] = [];
    const children = new Map<string, RuleNode>();
    let wildcard: Wildcard | undefined;
    for (const entry of object.entries) {
      const name = entry.key.text;
      const kind = KINDS.get(name);
      if (kind) rules[kind] = this.#rule(kind, entry.value, location);
      else if (name === ".indexOn") indexes = this.#indexes(entry.value);
      else if (name.startsWith("$")) wildcard = this.#wildcard(entry, wildcard, location);
      else children.set(name, this.#child(entry, name, location.variables, location));
    }
    const below = [...children.values(), ...(wildcard ? [wildcard.node] : [])];
    const validates = rules.validate !== undefined || below.some((node) => node.validates);
    return { rules, indexes, children, wildcard, validates };
  }

  #child({ key, value }: JsonEntry, name: string, variables: ReadonlySet<string>, { depth }: Location): RuleNode {
    const object = asObject(this.#text, value);
    if (NOT_IN_KEYS.test(name)) {
      throw errorAt(this.#text, key.at, 'String can\'t contain ".", "#", "$", "/", "[", or "]"');
    }
    return this.node(object, { variables, depth: depth + 1 });
  }

  #wildcard(entry: JsonEntry, earlier: Wildcard | undefined, location: Location): Wildcard {
    const name = entry.key.text;
    if (earlier && earlier.name !== name) {
      throw errorAt(this.#text, entry.key.at, `Cannot have multiple default rules ('${earlier.name}' and '${name}').`);
    }
    const variables = new Set([...location.variables, name]);
    return { name, node: this.#child(entry, name.slice(1), variables, location) };
  }

  #rule(kind: RuleKind, value: Json, location: Location): Rule {
    if (value.kind === "string") return this.#expression(kind, value, location);
    if (value.kind === "scalar" && typeof value.value === "boolean") {
      const text = String(value.value);
      const expression = { kind: "literal", value: value.value, at: 0, end: text.length, depth: 1 } as const;
      return { text, expression, place: (offset) => value.at + offset };
    }
    throw errorAt(this.#text, value.at, "Invalid rule expression.  Expected 'true', 'false', or an expression string.");
  }

  #expression(kind: RuleKind, { text, offsets, at }: JsonString, { variables }: Location): Rule {
    const place = (offset: number) => offsets[offset] ?? at;
    const fail = (offset: number, message: string) => errorAt(this.#text, place(offset), message);
    const expression = parseExpression(text, fail);
    checkRule(expression, { kind, variables, fail });
    return { text, expression, place };
  }

  #indexes(value: Json): readonly string[] {
    const items = value.kind === "list" ? value.items : [value];
    return items.map((item) => {
      if (item.kind === "string") return item.text;
      throw errorAt(this.#text, item.at, "Invalid indexOn expression. Must be either a string or an array of strings");
    });
  }
}

function asObject(text: string, value: Json): JsonObject {
  if (value.kind !== "object") throw errorAt(text, value.at, "Expected '{'.");
  return value;
}
