import protobuf from "protobufjs/light.js";
import { type Fields, GeoPoint, isArray, Reference, Timestamp, type Value } from "../model/value.ts";
import { checkedTimestamp, type WireDocument } from "./codec.ts";
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
  if (depth > MAX_DEPTH) throw bad(at, "is nested too deeply");
  if (type.fullName === VALUE) return readValue(json, at, depth);
  if (type.fullName === DOCUMENT) return readDocument(json, at);
  if (type.fullName === ".google.protobuf.Timestamp") return readTimestamp(json, at);
  if (type.fullName === ".google.type.LatLng") return readGeoPoint(json, at);
  if (WRAPPERS.has(type.fullName)) return { value: readScalar((type.fields.value as protobuf.Field).type, json, at) };
  const message = type.create() as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(object(json, at))) {
    const field = fieldNamed(type, name);
    if (!field)
      throw invalidArgument(
        `Invalid JSON payload received. Unknown name "${name}"${at ? ` at '${at}'` : ""}: Cannot find field.`,
      );
    if (value !== null || field.type === VALUE.slice(1))
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
    return Object.fromEntries(Object.entries(object(json, at)).map(([key, value]) => [key, one(value, join(at, key))]));
  }
  if (!field.repeated) return one(json, at);
  if (!Array.isArray(json)) throw bad(at, "must be an array");
  return json.map((value, i) => one(value, `${at}[${i}]`));
}

function readScalar(type: string, json: Json, at: string): unknown {
  switch (type) {
    case "string":
      if (typeof json !== "string") throw bad(at, "must be a string");
      return json;
    case "bool":
      if (typeof json !== "boolean") throw bad(at, "must be true or false");
      return json;
    case "bytes":
      return readBytes(json, at);
    case "double":
    case "float":
      return readDouble(json, at);
    default:
      return Number(readInteger(json, at));
  }
}

function readEnum(type: protobuf.Enum, json: Json, at: string): number {
  const number = typeof json === "number" ? json : typeof json === "string" ? type.values[json] : undefined;
  if (number === undefined) throw bad(at, `must be one of ${Object.keys(type.values).join(", ")}`);
  return number;
}

function readInteger(json: Json, at: string): bigint {
  if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  if (typeof json === "string" && /^-?\d+$/.test(json)) {
    const value = BigInt(json);
    if (value === BigInt.asIntN(64, value)) return value;
  }
  throw bad(at, "must be a 64-bit integer");
}

function readDouble(json: Json, at: string): number {
  if (typeof json === "number") return json;
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") return Number(json);
  if (typeof json === "string" && json.trim() !== "" && !Number.isNaN(Number(json))) return Number(json);
  throw bad(at, "must be a number");
}

function readBytes(json: Json, at: string): Uint8Array {
  if (typeof json !== "string" || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(json)) throw bad(at, "must be base64");
  return Uint8Array.from(Buffer.from(json, "base64"));
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d{1,9}))?(?:Z|[+-]\d{2}:\d{2})$/i;

function readTimestamp(json: Json, at: string): Timestamp {
  if (typeof json === "string") {
    const match = RFC_3339.exec(json);
    const millis = match ? Date.parse(json.replace(/\.\d+/, "")) : Number.NaN;
    if (!match || Number.isNaN(millis)) throw bad(at, "must be a time like 2026-01-31T23:59:59.5Z");
    return checkedTimestamp(millis / 1000, Number((match[1] ?? "").padEnd(9, "0")));
  }
  const { seconds = 0, nanos = 0 } = object(json, at);
  return checkedTimestamp(
    Number(readInteger(seconds, join(at, "seconds"))),
    Number(readInteger(nanos, join(at, "nanos"))),
  );
}

function readGeoPoint(json: Json, at: string): GeoPoint {
  const { latitude = 0, longitude = 0 } = object(json, at);
  return new GeoPoint(readDouble(latitude, join(at, "latitude")), readDouble(longitude, join(at, "longitude")));
}

function readDocument(json: Json, at: string): WireDocument {
  const { name = "", fields = {}, createTime: _created, updateTime: _updated, ...unknown } = object(json, at);
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw bad(join(at, stranger), "is no field of a document");
  if (typeof name !== "string") throw bad(join(at, "name"), "must be a string");
  return { name, fields: readFields(fields, join(at, "fields"), 0) };
}

function readFields(json: Json, at: string, depth: number): Fields {
  const entries = Object.entries(object(json, at));
  return new Map(entries.map(([name, value]) => [name, readValue(value, join(at, name), depth)]));
}

function readValue(json: Json, at: string, depth: number): Value {
  if (depth > MAX_DEPTH) throw bad(at, "is nested too deeply");
  const entries = Object.entries(object(json, at));
  const [entry] = entries;
  if (!entry || entries.length > 1) throw bad(at, "must have exactly one type");
  const [kind, value] = entry;
  switch (kind.includes("_") ? kind.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) : kind) {
    case "nullValue":
      return null;
    case "booleanValue":
      return readScalar("bool", value, join(at, kind)) as boolean;
    case "integerValue":
      return readInteger(value, join(at, kind));
    case "doubleValue":
      return readDouble(value, join(at, kind));
    case "timestampValue":
      return readTimestamp(value, join(at, kind));
    case "stringValue":
      return readScalar("string", value, join(at, kind)) as string;
    case "bytesValue":
      return readBytes(value, join(at, kind));
    case "referenceValue":
      return new Reference(readScalar("string", value, join(at, kind)) as string);
    case "geoPointValue":
      return readGeoPoint(value, join(at, kind));
    case "arrayValue":
      return readArray(value, join(at, kind), depth);
    case "mapValue":
      return readFields(object(value ?? {}, join(at, kind)).fields ?? {}, join(at, kind), depth + 1);
    default:
      throw bad(join(at, kind), "is no type of value");
  }
}

function readArray(json: Json, at: string, depth: number): Value[] {
  const { values = [] } = object(json ?? {}, at);
  if (!Array.isArray(values)) throw bad(at, "must hold an array of values");
  return values.map((value, i) => readValue(value, `${at}.values[${i}]`, depth + 1));
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

function fieldNamed(type: protobuf.Type, name: string): protobuf.Field | undefined {
  const known = type.fields[name];
  if (known) return known;
  return type.fields[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())];
}

function object(json: Json, at: string): JsonObject {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw bad(at, "must be an object");
  return json as JsonObject;
}

function join(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}

function bad(at: string, complaint: string): Error {
  return invalidArgument(`Invalid JSON payload received. ${at === "" ? "The request" : `'${at}'`} ${complaint}.`);
}
