import protobuf from "protobufjs/light.js";
import { type Fields, GeoPoint, isArray, Reference, Timestamp, type Value } from "../model/value.ts";
import type { WireDocument } from "./codec.ts";
import { camel, fieldNamed } from "./field-names.ts";
import {
  badRequest,
  invalidValue,
  join,
  objectAt,
  readBytes,
  readDouble,
  readEnum,
  readGeoPoint,
  readInteger,
  readScalar,
  readTimestamp,
  refuseUnknown,
  secondOf,
  unknownName,
} from "./json-scalars.ts";
import { invalidArgument } from "./status.ts";

/**
 * The JSON form of the service's messages, into and out of the same objects that the binary codecs give.
 * Source: https://protobuf.dev/programming-guides/json/ and `google/firestore/v1/document.proto`.
 */

const MAX_DEPTH = 100;
const VALUE = ".google.firestore.v1.Value";
const DOCUMENT = ".google.firestore.v1.Document";
const WRAPPERS = new Set(
  [
    "Int32Value",
    "Int64Value",
    "UInt32Value",
    "UInt64Value",
    "DoubleValue",
    "FloatValue",
    "BoolValue",
    "StringValue",
    "BytesValue",
  ].map((name) => `.google.protobuf.${name}`),
);

type Json = unknown;
type JsonObject = Record<string, Json>;

/** Reads a message from JSON; refuses unknown names and wrong types, saying where. */
export function fromJson(type: protobuf.Type, json: Json, at = "", depth = 0): unknown {
  if (depth > MAX_DEPTH) throw tooDeep(at);
  if (type.fullName === VALUE) return readValue(json, at, depth);
  if (type.fullName === DOCUMENT) return readDocument(json, at);
  if (type.fullName === ".google.protobuf.Timestamp") return readTimestamp(json, at);
  if (type.fullName === ".google.type.LatLng") return readGeoPoint(json, at);
  if (WRAPPERS.has(type.fullName)) return { value: readScalar((type.fields.value as protobuf.Field).type, json, at) };
  return readMessage(type, json, at, depth);
}

function readMessage(type: protobuf.Type, json: Json, at: string, depth: number): unknown {
  const message = type.create() as unknown as Record<string, unknown>;
  const chosen = new Set<string>();
  for (const [name, value] of Object.entries(objectAt(json, at, type.fullName))) {
    const field = fieldNamed(type, name);
    if (!field) throw unknownName(name, at);
    if (value === null && field.type !== VALUE.slice(1)) continue;
    if (field.partOf && chosen.has(field.partOf.name)) throw secondOf(field.partOf.name, name, at);
    if (field.partOf) chosen.add(field.partOf.name);
    message[field.name] = readField(field, value, join(at, name), depth);
  }
  return message;
}

function readField(field: protobuf.Field, json: Json, at: string, depth: number): unknown {
  const one = (value: Json, where: string) => {
    if (field.resolvedType instanceof protobuf.Type) return fromJson(field.resolvedType, value, where, depth + 1);
    if (field.resolvedType instanceof protobuf.Enum) return readEnum(field.resolvedType, value, where);
    return readScalar(field.type, value, where);
  };
  if (field.map) {
    const entries = Object.entries(objectAt(json, at, field.type));
    return Object.fromEntries(entries.map(([key, value]) => [key, one(value, join(at, key))]));
  }
  if (!field.repeated) return one(json, at);
  if (!Array.isArray(json)) throw invalidValue(at, "repeated", json);
  return json.map((value, i) => one(value, `${at}[${i}]`));
}

function readDocument(json: Json, at: string): WireDocument {
  const { name, fields, ...rest } = objectAt(json, at, DOCUMENT);
  const { createTime, create_time, updateTime, update_time, ...unknown } = rest;
  refuseUnknown(unknown, at);
  // They say when it was read, and mean nothing to who writes.
  for (const time of [createTime, create_time, updateTime, update_time]) {
    if (time !== undefined && time !== null) readTimestamp(time, at);
  }
  return {
    name: readScalar("string", name ?? "", join(at, "name")) as string,
    fields: readFields(fields ?? {}, join(at, "fields"), 0),
  };
}

function readFields(json: Json, at: string, depth: number): Fields {
  const entries = Object.entries(objectAt(json, at, "google.firestore.v1.Document.FieldsEntry"));
  return new Map(entries.map(([name, value]) => [name, readValue(value, join(at, name), depth)]));
}

function readValue(json: Json, at: string, depth: number): Value {
  if (depth > MAX_DEPTH) throw tooDeep(at);
  const [entry, second] = Object.entries(objectAt(json, at, VALUE));
  if (second) throw secondOf("value_type", second[0], at);
  if (!entry) throw badRequest(at, `The value at '${at}' has no type.`);
  const [name, value] = entry;
  const kind = camel(name);
  if (!Object.hasOwn(KINDS, kind)) throw unknownName(name, at);
  return (KINDS[kind] as (json: Json, at: string, depth: number) => Value)(value, join(at, name), depth);
}

const KINDS: Readonly<Record<string, (json: Json, at: string, depth: number) => Value>> = {
  nullValue: readNull,
  booleanValue: (json, at) => readScalar("bool", json, at) as boolean,
  integerValue: readInteger,
  doubleValue: readDouble,
  timestampValue: readTimestamp,
  stringValue: (json, at) => readScalar("string", json, at) as string,
  bytesValue: readBytes,
  referenceValue: (json, at) => new Reference(readScalar("string", json, at) as string),
  geoPointValue: readGeoPoint,
  arrayValue: readArray,
  mapValue: readMap,
};

function readNull(json: Json, at: string): null {
  if (json !== null && json !== "NULL_VALUE" && json !== 0) {
    throw invalidValue(at, "type.googleapis.com/google.protobuf.NullValue", json);
  }
  return null;
}

function readMap(json: Json, at: string, depth: number): Fields {
  const { fields, ...unknown } = objectAt(json, at, "google.firestore.v1.MapValue");
  refuseUnknown(unknown, at);
  return readFields(fields ?? {}, at, depth + 1);
}

function readArray(json: Json, at: string, depth: number): Value[] {
  const { values, ...unknown } = objectAt(json, at, "google.firestore.v1.ArrayValue");
  refuseUnknown(unknown, at);
  if (values === undefined || values === null) return [];
  if (!Array.isArray(values)) throw invalidValue(join(at, "values"), "repeated", values);
  return values.map((value, i) => readValue(value, `${at}.values[${i}]`, depth + 1));
}

function tooDeep(at: string): Error {
  return invalidArgument(`Invalid JSON payload received. '${at}' is nested too deeply.`);
}

/** Writes a message as JSON. Fields that are absent, empty or false are left out, as the service does. */
export function toJson(type: protobuf.Type, message: unknown): Json {
  if (type.fullName === VALUE) return writeValue(message as Value);
  if (type.fullName === DOCUMENT) return writeDocument(message as WireDocument);
  if (message instanceof Timestamp) return writeTimestamp(message);
  if (WRAPPERS.has(type.fullName)) return (message as { value: Json }).value;
  const json: JsonObject = {};
  const source = message as Record<string, unknown>;
  for (const field of type.fieldsArray) {
    const value = source[field.name];
    if (value === undefined || (value === null && field.resolvedType?.fullName !== VALUE)) continue;
    const written = writeField(field, value);
    if (!isDefault(field, written)) json[field.name] = written;
  }
  return json;
}

function writeField(field: protobuf.Field, value: unknown): Json {
  const one = (item: unknown): Json => {
    if (field.resolvedType instanceof protobuf.Type) return toJson(field.resolvedType, item);
    if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.valuesById[item as number] ?? item;
    if (field.type === "bytes") return Buffer.from(item as Uint8Array).toString("base64");
    if (field.type === "int64") return String(item);
    return item;
  };
  if (field.map) return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, one(item)]));
  return field.repeated ? (value as readonly unknown[]).map(one) : one(value);
}

function isDefault(field: protobuf.Field, json: Json): boolean {
  if (field.map) return false;
  if (field.repeated) return (json as readonly Json[]).length === 0;
  return !field.partOf && (json === false || json === 0 || json === "" || json === "0");
}

function writeDocument({ name, fields, createTime, updateTime }: WireDocument): Json {
  return {
    name,
    ...(fields.size > 0 ? { fields: writeFields(fields) } : {}),
    ...(createTime ? { createTime: writeTimestamp(createTime) } : {}),
    ...(updateTime ? { updateTime: writeTimestamp(updateTime) } : {}),
  };
}

function writeFields(fields: Fields): JsonObject {
  return Object.fromEntries([...fields].map(([name, value]) => [name, writeValue(value)]));
}

/** Writes a value as `{"stringValue": …}`; 64-bit integers as strings, NaN and the infinities by name. */
export function writeValue(value: Value): JsonObject {
  if (value === null) return { nullValue: null };
  switch (typeof value) {
    case "boolean":
      return { booleanValue: value };
    case "bigint":
      return { integerValue: value.toString() };
    case "number":
      return { doubleValue: writeDouble(value) };
    case "string":
      return { stringValue: value };
    default:
      return writeObject(value);
  }
}

/** A number, or as text what JSON has no number for. */
function writeDouble(value: number): number | string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

function writeObject(value: Exclude<Value, null | boolean | bigint | number | string>): JsonObject {
  if (value instanceof Timestamp) return { timestampValue: writeTimestamp(value) };
  if (value instanceof Reference) return { referenceValue: value.name };
  if (value instanceof GeoPoint) {
    return { geoPointValue: { latitude: writeDouble(value.latitude), longitude: writeDouble(value.longitude) } };
  }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") };
  if (isArray(value)) return { arrayValue: value.length > 0 ? { values: value.map(writeValue) } : {} };
  return { mapValue: value.size > 0 ? { fields: writeFields(value) } : {} };
}

/** With as many digits behind the point as needed: none, three or six. */
export function writeTimestamp({ seconds, nanos }: Timestamp): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return `${whole}Z`;
  const digits = String(nanos).padStart(9, "0");
  return `${whole}.${nanos % 1_000_000 === 0 ? digits.slice(0, 3) : digits.slice(0, 6)}Z`;
}
