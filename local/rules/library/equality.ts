import { RulesError, type RulesList, type RulesMap, type RulesPath, type RulesValue } from "../value.ts";
import { LIMITS } from "./limits.ts";
import { nanosOf } from "./time.ts";
import { hasType, isNumber, typeOf } from "./types.ts";

/**
 * When values are equal. The service has more than one answer:
 *
 * - `==` compares numbers by value, so `1 == 1.0`; NaN equals nothing. Values of different types are unequal, which is no error.
 * - Within lists and maps, `==` tells an int from a float and `0.0` from `-0.0`: `[1] != [1.0]`.
 * - Whether an element is in a list (`in`, `hasAny`, `removeAll`…) is decided like that too, but `-0.0 in [0.0]`.
 * - Sets and `map.diff()` compare numbers by value at every depth, and NaN equals NaN: `[1, 1.0].toSet().size() == 1`.
 *
 * The reference is silent about this; these are verdicts of the Rules Test API.
 * Source: https://github.com/davideast/pyric/tree/main/packages/conformance/observations
 */
type Sense = "nested" | "element" | "set";

/** Whether `a == b`. */
export function equalValues(a: RulesValue, b: RulesValue): boolean {
  if (isNumber(a) && isNumber(b)) return a <= b && a >= b;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (typeOf(a) !== typeOf(b) || sizeOf(a) !== sizeOf(b)) return false;
  const comparison = new Comparison();
  const key = comparison.key(a, "nested");
  return key !== undefined && key === comparison.key(b, "nested");
}

function sizeOf(value: RulesValue & object): number {
  if (hasType(value, "list")) return value.length;
  return hasType(value, "map") ? value.size : 0;
}

/** One operation's look at its values. Equal values get equal keys; all keys of an operation share one limit. */
export class Comparison {
  #spent = 0;

  /**
   * A string that only equal values share, or undefined for what equals nothing, not even itself.
   * @throws RulesError if there is too much to compare
   */
  key(value: RulesValue, sense: Sense): string | undefined {
    const writer = new KeyWriter(LIMITS.comparison - this.#spent, sense === "set");
    writer.value(value, sense === "element", 0);
    const key = writer.finish();
    this.#spent += writer.length;
    return key;
  }

  /** The keys of a list's elements, those that equal something. */
  elements(list: RulesList): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const item of list) {
      const key = this.key(item, "element");
      if (key !== undefined) keys.add(key);
    }
    return keys;
  }

  /** Values by their key as elements of a set; of equal ones, the first. */
  members(values: readonly RulesValue[]): ReadonlyMap<string, RulesValue> {
    const members = new Map<string, RulesValue>();
    for (const value of values) {
      const key = this.key(value, "set") ?? "";
      if (!members.has(key)) members.set(key, value);
    }
    return members;
  }
}

class KeyWriter {
  readonly #parts: string[] = [];
  readonly #limit: number;
  /** Whether numbers are compared by value alone. */
  readonly #numeric: boolean;
  #equalsNothing = false;
  length = 0;

  constructor(limit: number, numeric: boolean) {
    this.#limit = limit;
    this.#numeric = numeric;
  }

  finish(): string | undefined {
    return this.#equalsNothing ? undefined : this.#parts.join("");
  }

  value(value: RulesValue, unsignedZero: boolean, depth: number): void {
    if (depth > LIMITS.depth) throw new RulesError("The value is nested too deeply.");
    if (value === null || typeof value === "boolean") this.#write(`${value};`);
    else if (typeof value === "string") this.#text("s", value);
    else if (isNumber(value)) this.#number(value, unsignedZero);
    else this.#object(value, depth);
  }

  #write(part: string): void {
    this.length += part.length;
    if (this.length > this.#limit) throw new RulesError("There is too much to compare.");
    this.#parts.push(part);
  }

  #text(tag: string, text: string): void {
    this.#write(`${tag}${text.length}:`);
    this.#write(text);
  }

  #number(value: bigint | number, unsignedZero: boolean): void {
    if (typeof value === "bigint") this.#write(`${this.#numeric ? "n" : "i"}${value};`);
    else if (this.#numeric) this.#write(`n${Number.isInteger(value) ? BigInt(value) : value};`);
    else if (Number.isNaN(value)) this.#equalsNothing = true;
    else this.#write(`f${Object.is(value, -0) && !unsignedZero ? "-0" : value};`);
  }

  #object(value: RulesValue & object, depth: number): void {
    if (hasType(value, "list")) this.#list(value, depth);
    else if (hasType(value, "bytes")) this.#text("b", Buffer.from(value).toString("latin1"));
    else if (hasType(value, "timestamp")) this.#write(`t${nanosOf(value)};`);
    else if (hasType(value, "duration")) this.#write(`d${nanosOf(value)};`);
    else if (hasType(value, "latlng")) this.#write(`g${value.latitude},${value.longitude};`);
    else if (hasType(value, "path")) this.#path(value);
    else if (hasType(value, "set")) this.#set(value.items, depth);
    else if (hasType(value, "map_diff")) {
      this.#write("D");
      this.#map(value.left, depth);
      this.#map(value.right, depth);
    } else if (hasType(value, "map")) this.#map(value, depth);
  }

  #list(list: RulesList, depth: number): void {
    this.#write(`l${list.length}:`);
    for (const item of list) this.value(item, false, depth + 1);
  }

  #map(map: RulesMap, depth: number): void {
    this.#write(`m${map.size}:`);
    for (const name of [...map.keys()].sort()) {
      this.#text("", name);
      this.value(map.get(name) ?? null, false, depth + 1);
    }
  }

  #path(path: RulesPath): void {
    this.#write(`p${path.segments.length}:`);
    for (const segment of path.segments) this.#text("", segment);
  }

  #set(items: readonly RulesValue[], depth: number): void {
    this.#write(`S${items.length}:`);
    const keys = items.map((item) => {
      const writer = new KeyWriter(this.#limit - this.length, true);
      writer.value(item, false, depth + 1);
      this.length += writer.length;
      return writer.finish() ?? "";
    });
    for (const key of keys.sort()) this.#text("", key);
  }
}
