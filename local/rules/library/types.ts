import {
  LatLng,
  MapDiff,
  RulesDuration,
  RulesError,
  type RulesList,
  type RulesMap,
  RulesPath,
  RulesSet,
  RulesTimestamp,
  type RulesValue,
} from "../value.ts";

/** What each type of the rules is here. */
export interface Types {
  readonly null: null;
  readonly bool: boolean;
  readonly int: bigint;
  readonly float: number;
  readonly string: string;
  readonly bytes: Uint8Array;
  readonly timestamp: RulesTimestamp;
  readonly duration: RulesDuration;
  readonly latlng: LatLng;
  readonly path: RulesPath;
  readonly set: RulesSet;
  readonly map_diff: MapDiff;
  readonly list: RulesList;
  readonly map: RulesMap;
}

export type TypeName = keyof Types;

const TYPE_NAMES: ReadonlySet<string> = new Set<TypeName>([
  "null",
  "bool",
  "int",
  "float",
  "string",
  "bytes",
  "timestamp",
  "duration",
  "latlng",
  "path",
  "set",
  "map_diff",
  "list",
  "map",
]);

const PRIMITIVES: Readonly<Record<string, TypeName>> = {
  boolean: "bool",
  bigint: "int",
  number: "float",
  string: "string",
};

const CLASSES: readonly (readonly [new (...args: never[]) => object, TypeName])[] = [
  [Array, "list"],
  [Uint8Array, "bytes"],
  [RulesTimestamp, "timestamp"],
  [RulesDuration, "duration"],
  [LatLng, "latlng"],
  [RulesPath, "path"],
  [RulesSet, "set"],
  [MapDiff, "map_diff"],
];

/** The name of a value's type, as `is` and the messages of errors have it. */
export function typeOf(value: RulesValue): TypeName {
  if (value === null) return "null";
  const primitive = PRIMITIVES[typeof value];
  if (primitive) return primitive;
  return CLASSES.find(([type]) => value instanceof type)?.[1] ?? "map";
}

/** Whether a value is of the type, as far as TypeScript is concerned. */
export function hasType<Name extends TypeName>(value: RulesValue, name: Name): value is Types[Name] & RulesValue {
  return typeOf(value) === name;
}

export function isNumber(value: RulesValue): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

/**
 * The `is` operator: `bool`, `bytes`, `duration`, `float`, `int`, `latlng`, `list`, `map`, `map_diff`, `null`, `number`, `path`, `set`,
 * `string` or `timestamp`.
 * @throws RulesError for any other name
 */
export function isType(value: RulesValue, name: string): boolean {
  if (name === "number") return isNumber(value);
  if (!TYPE_NAMES.has(name)) throw new RulesError(`Unknown type: [${name}].`);
  return typeOf(value) === name;
}

/** The error for an operation that does not exist for such values, with the words of the service. */
export function unsupported(received: string, expected?: string): RulesError {
  const hint = expected === undefined ? "" : ` Expected: ${expected}.`;
  return new RulesError(`Unsupported operation error. Received: ${received}.${hint}`);
}

/** The error for a function or method that does not exist, with the words of the service. */
export function notFound(name: string): RulesError {
  return new RulesError(`Function not found error: Name: [${name}].`);
}
