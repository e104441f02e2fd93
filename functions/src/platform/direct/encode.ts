import { Timestamp } from "firebase-admin/firestore";
import { BackwardsWriter } from "./backwards.ts";
import {
  ARRAY,
  CONDITION,
  DOCUMENT,
  ENTRY,
  MAP,
  MASK,
  READ_REQUEST,
  TIMESTAMP,
  VALUE,
  WRITE,
  WRITES_REQUEST,
} from "./tags.ts";

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

/** What needs no quotes in a path of fields. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z_0-9]*$/;

/** A CommitRequest or a BatchWriteRequest. @param database as `projects/p/databases/(default)` */
export function encodeWrites(database: string, writes: readonly Write[]): Buffer {
  const to = new BackwardsWriter();
  for (let i = writes.length - 1; i >= 0; i--) {
    const before = to.size;
    writeWrite(to, database, writes[i] as Write);
    to.lengthSince(before);
    to.byte(WRITES_REQUEST.writes);
  }
  to.text(database);
  to.byte(WRITES_REQUEST.database);
  return to.bytes();
}

/** A BatchGetDocumentsRequest. @param paths as `accounts/ada:COIN` */
export function encodeRead(database: string, paths: readonly string[]): Buffer {
  const to = new BackwardsWriter();
  for (let i = paths.length - 1; i >= 0; i--) {
    to.text(nameOf(database, paths[i] as string));
    to.byte(READ_REQUEST.documents);
  }
  to.text(database);
  to.byte(READ_REQUEST.database);
  return to.bytes();
}

/** A document's name as the server has it. */
export function nameOf(database: string, path: string): string {
  return `${database}/documents/${path}`;
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
  to.text(nameOf(database, path));
  to.byte(DOCUMENT.name);
  to.lengthSince(document);
  to.byte(WRITE.update);
}

function writeMask(to: BackwardsWriter, names: readonly string[]): void {
  const before = to.size;
  for (const name of names) {
    if (!PLAIN_NAME.test(name)) throw new TypeError(`the field ${name} cannot be named`);
    to.text(name);
    to.byte(MASK.path);
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
      to.byte(ARRAY.values);
    }
    to.lengthSince(before);
    to.byte(VALUE.array);
  } else if (isPlain(value)) {
    writeFields(to, value, MAP.fields);
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
