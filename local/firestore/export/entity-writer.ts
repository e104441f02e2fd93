import type { Writer } from "protobufjs";
import protobuf from "protobufjs/light.js";
import { parseName } from "../model/path.ts";
import { type Fields, GeoPoint, isArray, isMap, Reference, Timestamp, type Value, vectorOf } from "../model/value.ts";
import { writeInt64 } from "../wire/codec.ts";
import {
  DEFAULT_DATABASE,
  type ElementTags,
  EntityTag,
  KeyElement,
  KeyTag,
  Meaning,
  NUMERIC_ID,
  PropertyTag,
  ReferenceElement,
  ValueTag,
} from "./entity.ts";

const MICROS = 1_000_000n;

/** Writes a document as an entity. @param name the document's full name */
export function writeEntity(name: string, fields: Fields): Uint8Array {
  const key = keyOf(name);
  const out = protobuf.Writer.create();
  out.uint32(EntityTag.KEY).fork().uint32(KeyTag.APP).string(key.app).uint32(KeyTag.PATH).fork();
  writePath(out, KeyElement, key.segments);
  out.ldelim();
  if (key.database !== DEFAULT_DATABASE) out.uint32(KeyTag.DATABASE).string(key.database);
  out.ldelim();
  writeFields(out, fields);
  out.uint32(EntityTag.ENTITY_GROUP).fork();
  writePath(out, KeyElement, key.segments.slice(0, 2));
  return out.ldelim().finish();
}

interface Key {
  readonly app: string;
  readonly database: string;
  readonly segments: readonly string[];
}

function keyOf(name: string): Key {
  const resource = parseName(name);
  const [, project, , database] = resource.database.split("/") as [string, string, string, string];
  return { app: `dev~${project}`, database, segments: resource.path.split("/") };
}

function writePath(out: Writer, tags: ElementTags, segments: readonly string[]): void {
  for (let at = 0; at < segments.length; at += 2) {
    out
      .uint32(tags.BEGIN)
      .uint32(tags.KIND)
      .string(segments[at] as string);
    const id = segments[at + 1];
    if (id !== undefined) writeId(out, tags, id);
    out.uint32(tags.END);
  }
}

/** As a number only if it is written as the number would be, and fits. */
function writeId(out: Writer, tags: ElementTags, id: string): void {
  const digits = NUMERIC_ID.exec(id)?.[1];
  const number = digits === undefined ? undefined : BigInt.asIntN(64, BigInt(digits));
  if (number !== undefined && `${number}` === digits) writeInt64(out.uint32(tags.ID), number);
  else out.uint32(tags.NAME).string(id);
}

function writeFields(out: Writer, fields: Fields): void {
  for (const [name, value] of fields) {
    if (isArray(value) && value.length === 0) writeEmptyArray(out, name);
  }
  for (const [name, value] of fields) {
    const vector = isMap(value) ? vectorOf(value) : undefined;
    if (vector) writeElements(out, name, vector, Meaning.VECTOR);
    else if (isArray(value)) writeElements(out, name, value);
    else writeProperty(out, { name, isMultiple: false }, value);
  }
}

function writeElements(out: Writer, name: string, elements: readonly Value[], meaning?: number): void {
  for (const element of elements) writeProperty(out, { name, isMultiple: true }, element, meaning);
}

function writeEmptyArray(out: Writer, name: string): void {
  out.uint32(EntityTag.PROPERTY).fork().uint32(PropertyTag.MEANING).uint32(Meaning.EMPTY_ARRAY);
  out.uint32(PropertyTag.NAME).string(name).uint32(PropertyTag.IS_MULTIPLE).bool(false);
  out.uint32(PropertyTag.VALUE).fork().ldelim().ldelim();
}

function writeProperty(
  out: Writer,
  { name, isMultiple }: { name: string; isMultiple: boolean },
  value: Value,
  meaning = meaningOf(value),
): void {
  out.uint32(EntityTag.RAW_PROPERTY).fork();
  if (meaning !== Meaning.NONE) out.uint32(PropertyTag.MEANING).uint32(meaning);
  out.uint32(PropertyTag.NAME).string(name).uint32(PropertyTag.IS_MULTIPLE).bool(isMultiple);
  out.uint32(PropertyTag.VALUE).fork();
  writeValue(out, value);
  out.ldelim().ldelim();
}

function meaningOf(value: Value): number {
  if (value instanceof Timestamp) return Meaning.TIMESTAMP;
  if (value instanceof GeoPoint) return Meaning.POINT;
  if (value instanceof Uint8Array) return Meaning.BYTES;
  return isMap(value) ? Meaning.MAP : Meaning.NONE;
}

function writeValue(out: Writer, value: Value): void {
  switch (typeof value) {
    case "bigint":
      return writeInt64(out.uint32(ValueTag.INTEGER), value);
    case "boolean":
      return void out.uint32(ValueTag.BOOLEAN).bool(value);
    case "string":
      return void out.uint32(ValueTag.STRING).string(value);
    case "number":
      return void out.uint32(ValueTag.DOUBLE).double(value);
    default:
      if (value !== null) writeObject(out, value);
  }
}

function writeObject(out: Writer, value: Exclude<Value, null | boolean | bigint | number | string>): void {
  if (value instanceof Timestamp) {
    writeInt64(out.uint32(ValueTag.INTEGER), BigInt(value.seconds) * MICROS + BigInt(Math.floor(value.nanos / 1_000)));
  } else if (value instanceof Uint8Array) {
    out.uint32(ValueTag.STRING).bytes(value);
  } else if (value instanceof GeoPoint) {
    out.uint32(ValueTag.POINT).uint32(ValueTag.LATITUDE).double(value.latitude);
    out.uint32(ValueTag.LONGITUDE).double(value.longitude).uint32(ValueTag.POINT_END);
  } else if (value instanceof Reference) {
    writeReference(out, keyOf(value.name));
  } else if (isMap(value)) {
    out.uint32(ValueTag.STRING).fork();
    writeMap(out, value);
    out.ldelim();
  }
}

function writeReference(out: Writer, { app, database, segments }: Key): void {
  out.uint32(ValueTag.REFERENCE).uint32(KeyTag.APP).string(app);
  writePath(out, ReferenceElement, segments);
  if (database !== DEFAULT_DATABASE) out.uint32(KeyTag.DATABASE).string(database);
  out.uint32(ValueTag.REFERENCE_END);
}

/** An entity whose key names nothing. */
function writeMap(out: Writer, fields: Fields): void {
  out.uint32(EntityTag.KEY).fork().uint32(KeyTag.APP).string("").uint32(KeyTag.PATH).fork().ldelim().ldelim();
  writeFields(out, fields);
  out.uint32(EntityTag.ENTITY_GROUP).fork().ldelim();
}
