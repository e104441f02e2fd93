import { Timestamp } from "firebase-admin/firestore";
import { BackwardsWriter } from "./backwards.ts";

/** A write to one document, on condition. */
export interface Write {
  /** As `accounts/ada:COIN`. */
  readonly path: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Fields that are to be gone. With none named and the document to be `new`, the fields are all there is. */
  readonly removed?: readonly string[];
  /** `new`: the document is not there yet; otherwise when it was last written. */
  readonly condition: "new" | Timestamp;
}

// Numbers of fields, times 8, and the way they are written: 0 a varint, 1 eight bytes, 2 with a length.
// Source: https://github.com/googleapis/googleapis/tree/master/google/firestore/v1, firestore.proto, write.proto, document.proto, common.proto
const COMMIT = { database: 10, writes: 18 };
const WRITE = { update: 10, mask: 26, condition: 34 };
const DOCUMENT = { name: 10, fields: 18 };
const MASK_PATH = 10;
const CONDITION = { exists: 8, updateTime: 18 };
const ENTRY = { key: 10, value: 18 };
const TIMESTAMP = { seconds: 8, nanos: 16 };
const VALUE = { boolean: 8, integer: 16, double: 25, map: 50, array: 74, timestamp: 82, none: 88, text: 138 };
const MAP_FIELDS = 10;
const ARRAY_VALUES = 10;

/** What needs no quotes in a path of fields. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** A CommitRequest. @param database as `projects/p/databases/(default)` */
export function encodeCommit(database: string, writes: readonly Write[]): Buffer {
  const to = new BackwardsWriter();
  for (let i = writes.length - 1; i >= 0; i--) {
    const before = to.size;
    writeWrite(to, database, writes[i] as Write);
    to.lengthSince(before);
    to.byte(COMMIT.writes);
  }
  to.text(database);
  to.byte(COMMIT.database);
  return to.bytes();
}

function writeWrite(to: BackwardsWriter, database: string, { path, fields, removed, condition }: Write): void {
  const before = to.size;
  if (condition === "new") {
    to.byte(0);
    to.byte(CONDITION.exists);
  } else {
    writeTimestamp(to, condition);
    to.byte(CONDITION.updateTime);
  }
  to.lengthSince(before);
  to.byte(WRITE.condition);
  if (condition !== "new") writeMask(to, [...Object.keys(fields), ...(removed ?? [])]);
  const document = to.size;
  writeFields(to, fields, DOCUMENT.fields);
  to.text(`${database}/documents/${path}`);
  to.byte(DOCUMENT.name);
  to.lengthSince(document);
  to.byte(WRITE.update);
}

function writeMask(to: BackwardsWriter, names: readonly string[]): void {
  const before = to.size;
  for (const name of names) {
    if (!PLAIN_NAME.test(name)) throw new TypeError(`the field ${name} cannot be named`);
    to.text(name);
    to.byte(MASK_PATH);
  }
  to.lengthSince(before);
  to.byte(WRITE.mask);
}

/** The entries of a map. @param tag of the field that holds them */
function writeFields(to: BackwardsWriter, fields: Readonly<Record<string, unknown>>, tag: number): void {
  for (const name in fields) {
    const entry = to.size;
    writeValue(to, fields[name]);
    to.lengthSince(entry);
    to.byte(ENTRY.value);
    to.text(name);
    to.byte(ENTRY.key);
    to.lengthSince(entry);
    to.byte(tag);
  }
}

function writeValue(to: BackwardsWriter, value: unknown): void {
  if (typeof value === "string") {
    to.text(value);
    to.varint(VALUE.text);
  } else if (typeof value === "number") writeNumber(to, value);
  else if (typeof value === "boolean") {
    to.byte(value ? 1 : 0);
    to.byte(VALUE.boolean);
  } else if (value === null) {
    to.byte(0);
    to.byte(VALUE.none);
  } else if (typeof value === "object") writeObject(to, value);
  else throw new TypeError(`a ${typeof value} cannot be written`);
}

function writeNumber(to: BackwardsWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    to.int64(value);
    to.byte(VALUE.integer);
  } else {
    to.double(value);
    to.byte(VALUE.double);
  }
}

function writeObject(to: BackwardsWriter, value: object): void {
  const before = to.size;
  if (value instanceof Timestamp) {
    writeTimestamp(to, value);
    to.byte(VALUE.timestamp);
  } else if (Array.isArray(value)) {
    for (let i = value.length - 1; i >= 0; i--) {
      const item = to.size;
      writeValue(to, value[i]);
      to.lengthSince(item);
      to.byte(ARRAY_VALUES);
    }
    to.lengthSince(before);
    to.byte(VALUE.array);
  } else if (isPlain(value)) {
    writeFields(to, value, MAP_FIELDS);
    to.lengthSince(before);
    to.byte(VALUE.map);
  } else throw new TypeError(`a ${value.constructor.name} cannot be written`);
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A timestamp and, before it, its length. */
function writeTimestamp(to: BackwardsWriter, { seconds, nanoseconds }: Timestamp): void {
  const before = to.size;
  if (nanoseconds !== 0) {
    to.varint(nanoseconds);
    to.byte(TIMESTAMP.nanos);
  }
  to.int64(seconds);
  to.byte(TIMESTAMP.seconds);
  to.lengthSince(before);
}
