import { RulesError, type RulesMap, type RulesValue } from "../value.ts";
import type { Constraint } from "./request.ts";

/** What a query's constraints say of a field, other than what it equals. */
export type Fact = Pick<Constraint, "operator" | "value">;

/**
 * A value that a query does not settle: it stands for every value that the results could have. What is said of it holds
 * for all of them, or else it is {@link Unproven}.
 */
export class Unknown {
  readonly facts: readonly Fact[];
  /** For a map: the fields that it has for certain. */
  readonly fields: ReadonlyMap<string, Value>;
  /** A value of its type, where that is known. */
  readonly example: RulesValue | undefined;

  constructor(options: { facts?: readonly Fact[]; fields?: ReadonlyMap<string, Value>; example?: RulesValue } = {}) {
    this.facts = options.facts ?? [];
    this.fields = options.fields ?? new Map();
    this.example = options.example ?? exampleOf(this.facts, this.fields);
  }
}

/** What an expression gives: a value, or in the list of documents one that could be several. */
export type Value = RulesValue | Unknown;

/** An expression that is not the same for all possible results of a query. Like any error, it makes a condition false. */
export class Unproven extends RulesError {
  static readonly UNSETTLED = "The constraints of the query do not settle it.";

  constructor(message = Unproven.UNSETTLED) {
    super(message);
  }
}

const RANGE = new Set<string>(["<", "<=", ">", ">="]);

function exampleOf(facts: readonly Fact[], fields: ReadonlyMap<string, Value>): RulesValue | undefined {
  if (fields.size > 0) return new Map();
  if (facts.some(({ operator }) => operator === "array-contains" || operator === "array-contains-any")) return [];
  return facts.find(({ operator }) => RANGE.has(operator))?.value;
}

/** Takes a value that has to be settled. */
export function settled(value: Value): RulesValue {
  if (value instanceof Unknown) throw new Unproven();
  return value;
}

/** A field of a value that is not settled. */
export function fieldOf(target: Unknown, name: string): Value {
  const field = target.fields.get(name);
  if (field === undefined) throw new Unproven(`Property ${name} is undefined on object.`);
  return field;
}

/** What constraints on a field, and on the fields below it, say of its value. */
export function valueFrom(constraints: readonly Constraint[], example?: RulesValue): Value {
  const own = constraints.filter(({ field }) => field.length === 0);
  const equal = own.find(({ operator }) => operator === "==");
  if (equal) return equal.value;
  const below = Map.groupBy(
    constraints.filter(({ field }) => field.length > 0),
    ({ field }) => field[0] ?? "",
  );
  const fields = new Map<string, Value>();
  for (const [name, inner] of below) {
    fields.set(name, valueFrom(inner.map((constraint) => ({ ...constraint, field: constraint.field.slice(1) }))));
  }
  return new Unknown({ facts: own, fields, ...(example !== undefined && { example }) });
}

/** Whether a fact says that a list holds a value. */
export function containedIn({ facts }: Unknown): readonly RulesValue[] {
  return facts.filter(({ operator }) => operator === "array-contains").map(({ value }) => value);
}

export function isMap(value: Value): value is RulesMap {
  return value instanceof Map;
}
