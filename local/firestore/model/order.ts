import { type Fields, GeoPoint, isArray, Reference, Timestamp, type Value, vectorOf } from "./value.ts";

/**
 * Firestore's total order over values, as sort keys.
 *
 * Every value becomes a string of characters U+0000 to U+00FF such that comparing two keys with `<` compares the values. Keys are
 * self-delimiting, so the keys of several values can be joined into the key of an index entry, and a key with every
 * byte inverted sorts the other way round. No byte after a complete value is 0xFF, so `key + "\xFF"` stands behind everything
 * that starts with `key`.
 *
 * Order and equality across types: https://firebase.google.com/docs/firestore/manage-data/data-types#value_type_ordering
 */
export type SortKey = string;

const Tag = {
  END: 0x01,
  NUMERIC_ID: 0x02,
  NULL: 0x08,
  FALSE: 0x10,
  TRUE: 0x11,
  NAN: 0x18,
  NUMBER: 0x20,
  TIMESTAMP: 0x28,
  STRING: 0x30,
  BYTES: 0x38,
  REFERENCE: 0x40,
  GEO_POINT: 0x48,
  ARRAY: 0x50,
  VECTOR: 0x58,
  MAP: 0x60,
} as const;

const ESCAPE = 0x00;
const ESCAPED_ZERO = 0xfe;
const TERMINATOR = 0x01;
const EXACT_INTEGERS = 2 ** 53;

/** The position in front of every key that starts with `key`. */
export function before(key: SortKey): SortKey {
  return key;
}

/** The position behind every key that starts with `key`. */
export function after(key: SortKey): SortKey {
  return `${key}\xff`;
}

export function compareKeys(a: SortKey, b: SortKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares two strings by their UTF-8 bytes, which JavaScript's own order of UTF-16 units does not do for surrogates. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      const xIsSurrogate = (x & 0xf800) === 0xd800;
      const yIsSurrogate = (y & 0xf800) === 0xd800;
      if (xIsSurrogate !== yIsSurrogate) return xIsSurrogate ? 1 : -1;
      return x - y;
    }
  }
  return a.length - b.length;
}

/** Compares two values in Firestore's order; `1n` and `1` are equal, `NaN` comes before every number. */
export function compareValues(a: Value, b: Value): number {
  return compareKeys(keyOf(a), keyOf(b));
}

/** Whether two values are equal in queries and in array transforms. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a === "string" || typeof a === "boolean" || a === null) return false;
  return keyOf(a) === keyOf(b);
}

/** The sort key of one value. */
export function keyOf(value: Value): SortKey {
  const writer = new KeyWriter();
  writer.value(value);
  return writer.key();
}

/**
 * The range of all values of the same kind as `value`: behind everything that starts with `below`, in front of everything that
 * starts with `above`. No key starts with either, so the range holds in descending order too.
 */
export function kindOf(value: Value): { below: SortKey; above: SortKey } {
  const tag = keyOf(value).charCodeAt(0);
  const first = tag === Tag.TRUE ? Tag.FALSE : tag;
  const last = tag === Tag.FALSE ? Tag.TRUE : tag;
  return { below: String.fromCharCode(first - 1), above: String.fromCharCode(last + 1) };
}

/** The sort key of a document's path below `/documents/`. */
export function pathKey(path: string): SortKey {
  const writer = new KeyWriter();
  writer.path(path);
  return writer.key();
}

/** The sort key of a document within its collection. */
export function idKey(id: string): SortKey {
  const writer = new KeyWriter();
  writer.segment(id);
  return writer.key();
}

/** A prefix that all documents below a path share in {@link pathKey}, the document at the path itself included. */
export function pathPrefix(path: string): SortKey {
  return path === "" ? "" : pathKey(path).slice(0, -1);
}

let scratch = Buffer.allocUnsafe(4096);

/** Writes the key of several values, some of them in descending order. One writer is used at a time: all share a buffer. */
export class KeyWriter {
  #length = 0;

  /** What was written, as a sort key. */
  key(): SortKey {
    return scratch.toString("latin1", 0, this.#length);
  }

  /** A value whose order is reversed where `descending`. */
  directed(value: Value, descending: boolean): void {
    const start = this.#length;
    this.value(value);
    if (descending) this.#invert(start);
  }

  directedKey(key: SortKey, descending: boolean): void {
    const start = this.#length;
    this.raw(key);
    if (descending) this.#invert(start);
  }

  raw(key: SortKey): void {
    this.#reserve(key.length);
    this.#length += scratch.write(key, this.#length, "latin1");
  }

  value(value: Value): void {
    if (value === null) return this.#byte(Tag.NULL);
    switch (typeof value) {
      case "boolean":
        return this.#byte(value ? Tag.TRUE : Tag.FALSE);
      case "bigint":
        return this.#integer(value);
      case "number":
        return this.#double(value);
      case "string":
        this.#byte(Tag.STRING);
        return this.#text(value);
      default:
        return this.#object(value);
    }
  }

  path(path: string): void {
    for (const segment of path.split("/")) this.segment(segment);
    this.#byte(Tag.END);
  }

  /** Numeric ids (`__id7__`) come before all others, in numeric order. */
  segment(id: string): void {
    const numeric = id.startsWith("__id") ? /^__id(-?\d+)__$/.exec(id) : null;
    if (numeric) {
      this.#byte(Tag.NUMERIC_ID);
      this.#reserve(8);
      this.#length = scratch.writeBigUInt64BE(
        BigInt.asUintN(64, BigInt(numeric[1] as string) ^ (1n << 63n)),
        this.#length,
      );
    } else {
      this.#byte(Tag.STRING);
      this.#text(id);
    }
  }

  #object(value: Exclude<Value, null | boolean | bigint | number | string>): void {
    if (value instanceof Timestamp) return this.#timestamp(value);
    if (value instanceof Reference) return this.#reference(value);
    if (value instanceof GeoPoint) return this.#geoPoint(value);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (isArray(value)) return this.#array(value);
    this.#map(value);
  }

  #integer(value: bigint): void {
    const nearest = Number(value);
    if (Math.abs(nearest) < EXACT_INTEGERS) return this.#number(nearest, 0);
    const floor = BigInt(nearest) > value ? previousDouble(nearest) : nearest;
    this.#number(floor, Number(value - BigInt(floor)));
  }

  #double(value: number): void {
    if (Number.isNaN(value)) this.#byte(Tag.NAN);
    else this.#number(value === 0 ? 0 : value, 0);
  }

  /** A double and, from 2^53 on, how far an integer lies above it (less than 2,048). */
  #number(floor: number, excess: number): void {
    this.#byte(Tag.NUMBER);
    this.#orderedDouble(floor);
    if (Math.abs(floor) >= EXACT_INTEGERS) {
      this.#reserve(2);
      this.#length = scratch.writeUInt16BE(excess, this.#length);
    }
  }

  #orderedDouble(value: number): void {
    this.#reserve(8);
    const start = this.#length;
    this.#length = scratch.writeDoubleBE(value, start);
    if ((scratch[start] as number) & 0x80) this.#invert(start);
    else scratch[start] = (scratch[start] as number) | 0x80;
  }

  #timestamp(value: Timestamp): void {
    this.#byte(Tag.TIMESTAMP);
    this.#orderedDouble(value.seconds);
    this.#reserve(4);
    this.#length = scratch.writeUInt32BE(value.nanos, this.#length);
  }

  #reference(value: Reference): void {
    this.#byte(Tag.REFERENCE);
    for (const segment of value.name.split("/")) this.segment(segment);
    this.#byte(Tag.END);
  }

  #geoPoint(value: GeoPoint): void {
    this.#byte(Tag.GEO_POINT);
    this.#orderedDouble(value.latitude === 0 ? 0 : value.latitude);
    this.#orderedDouble(value.longitude === 0 ? 0 : value.longitude);
  }

  #array(items: readonly Value[]): void {
    this.#byte(Tag.ARRAY);
    for (const item of items) this.value(item);
    this.#byte(Tag.END);
  }

  #map(fields: Fields): void {
    const components = vectorOf(fields);
    if (components) return this.#vector(components);
    this.#byte(Tag.MAP);
    for (const name of [...fields.keys()].sort(compareStrings)) {
      this.#byte(Tag.STRING);
      this.#text(name);
      this.value(fields.get(name) as Value);
    }
    this.#byte(Tag.END);
  }

  #vector(components: readonly Value[]): void {
    this.#byte(Tag.VECTOR);
    this.#reserve(4);
    this.#length = scratch.writeUInt32BE(components.length, this.#length);
    for (const component of components) this.value(component);
  }

  #text(text: string): void {
    this.#reserve(text.length * 3);
    const start = this.#length;
    this.#length += scratch.write(text, start, "utf8");
    this.#escape(start);
  }

  #bytes(bytes: Uint8Array): void {
    this.#byte(Tag.BYTES);
    this.#reserve(bytes.length);
    const start = this.#length;
    scratch.set(bytes, start);
    this.#length += bytes.length;
    this.#escape(start);
  }

  /** Ends a run of arbitrary bytes so that nothing inside it can be taken for its end. */
  #escape(start: number): void {
    const zero = scratch.indexOf(ESCAPE, start);
    if (zero >= 0 && zero < this.#length) {
      const run = Buffer.from(scratch.subarray(start, this.#length));
      this.#length = start;
      for (const byte of run) {
        this.#byte(byte);
        if (byte === ESCAPE) this.#byte(ESCAPED_ZERO);
      }
    }
    this.#byte(ESCAPE);
    this.#byte(TERMINATOR);
  }

  #invert(start: number): void {
    for (let i = start; i < this.#length; i++) scratch[i] = ~(scratch[i] as number) & 0xff;
  }

  #byte(byte: number): void {
    this.#reserve(1);
    scratch[this.#length++] = byte;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    scratch.copy(larger, 0, 0, this.#length);
    scratch = larger;
  }
}

function previousDouble(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
