/**
 * A Firestore value in the form the store keeps it. Types that JavaScript tells apart need no wrapper: a `bigint` is a
 * 64-bit integer, a `number` is a double, a `Map` is a map value, and `1n` and `1` stay different types with equal order.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Timestamp
  | Uint8Array
  | Reference
  | GeoPoint
  | readonly Value[]
  | Fields;

/** A map value, and the fields of a document. */
export type Fields = ReadonlyMap<string, Value>;

/** A point in time; Firestore keeps microseconds, so `nanos` of a stored value is a multiple of 1,000. */
export class Timestamp {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }

  /** @param micros whole microseconds since the epoch */
  static fromMicros(micros: number): Timestamp {
    const seconds = Math.floor(micros / 1e6);
    return new Timestamp(seconds, (micros - seconds * 1e6) * 1000);
  }

  /** Whole microseconds since the epoch, rounded down. Years 1 to 2255 are exact. */
  toMicros(): number {
    return this.seconds * 1e6 + Math.floor(this.nanos / 1000);
  }
}

/** A reference to a document, by its full resource name. */
export class Reference {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class GeoPoint {
  readonly latitude: number;
  readonly longitude: number;

  constructor(latitude: number, longitude: number) {
    this.latitude = latitude;
    this.longitude = longitude;
  }
}

export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value | undefined): value is Fields {
  return value instanceof Map;
}

export function isNumber(value: Value | undefined): value is bigint | number {
  return typeof value === "number" || typeof value === "bigint";
}

const VECTOR = "__vector__";

export function vector(components: readonly Value[]): Fields {
  return new Map<string, Value>([
    ["__type__", VECTOR],
    ["value", components],
  ]);
}

/** The components of a vector value (`FieldValue.vector()` is a map with a reserved type marker), or undefined. */
export function vectorOf(value: Fields): readonly Value[] | undefined {
  if (value.get("__type__") !== VECTOR) return undefined;
  const components = value.get("value");
  return isArray(components) ? components : undefined;
}

/** Whether two values are the same to the last bit: `1n` is not `1`, and `0` is not `-0`. A write that sets an identical value changes nothing. */
export function identical(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, i) => identical(item, b[i] as Value));
  if (a instanceof Map) return b instanceof Map && identicalMaps(a, b);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.seconds === b.seconds && a.nanos === b.nanos;
  if (a instanceof Reference) return b instanceof Reference && a.name === b.name;
  if (a instanceof GeoPoint)
    return b instanceof GeoPoint && Object.is(a.latitude, b.latitude) && Object.is(a.longitude, b.longitude);
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
}

function identicalMaps(a: Fields, b: Fields): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !identical(value, other)) return false;
  }
  return true;
}
