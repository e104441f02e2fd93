import type protobuf from "protobufjs/light.js";
import { GeoPoint, type Timestamp } from "../model/value.ts";
import { checkedTimestamp } from "./codec.ts";
import { StatusError } from "./status.ts";

/**
 * What in JSON is no message: numbers, text, bytes, times, places. What cannot be read is refused in the words of Google's APIs.
 * Source: https://protobuf.dev/programming-guides/json/
 */

const SHOWN_CHARACTERS = 100;
const INT32 = new Set(["int32", "uint32", "sint32", "fixed32", "sfixed32"]);

export function readScalar(type: string, json: unknown, at: string): unknown {
  switch (type) {
    case "string":
      if (typeof json !== "string") throw invalidValue(at, "TYPE_STRING", json);
      return json;
    case "bool":
      return readBoolean(json, at);
    case "bytes":
      return readBytes(json, at);
    case "double":
    case "float":
      return readDouble(json, at);
    default:
      return INT32.has(type) ? readInt32(json, at) : Number(readInteger(json, at));
  }
}

export function readEnum(type: protobuf.Enum, json: unknown, at: string): number {
  if (typeof json === "string" && Object.hasOwn(type.values, json)) return type.values[json] as number;
  const number = typeof json === "string" && json !== "" ? Number(json) : json;
  // Numbers without a name may have one in a later version.
  if (typeof number === "number" && number === (number | 0)) return number;
  throw invalidValue(at, `type.googleapis.com${type.fullName.replace(".", "/")}`, json);
}

/** A 64-bit integer: a number, or text in any form that JSON has for numbers. */
export function readInteger(json: unknown, at: string): bigint {
  const value = integerOf(json);
  if (value === undefined || value !== BigInt.asIntN(64, value)) throw invalidValue(at, "TYPE_INT64", json);
  return value;
}

function integerOf(json: unknown): bigint | undefined {
  if (typeof json === "bigint") return json;
  if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : undefined;
  if (typeof json !== "string") return undefined;
  if (/^[-+]?\d{1,20}$/.test(json)) return BigInt(json.replace("+", ""));
  const number = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(json) ? Number(json) : Number.NaN;
  return Number.isSafeInteger(number) ? BigInt(number) : undefined;
}

function readInt32(json: unknown, at: string): number {
  const value = integerOf(json);
  if (value === undefined || value !== BigInt.asIntN(32, value)) throw invalidValue(at, "TYPE_INT32", json);
  return Number(value);
}

function readBoolean(json: unknown, at: string): boolean {
  if (json === true || json === "true") return true;
  if (json === false || json === "false") return false;
  throw invalidValue(at, "TYPE_BOOL", json);
}

export function readDouble(json: unknown, at: string): number {
  if (json === "NaN" || json === "Infinity" || json === "-Infinity") return Number(json);
  const isText = typeof json === "string" && json.trim() !== "";
  const value = typeof json === "number" || typeof json === "bigint" || isText ? Number(json) : Number.NaN;
  if (!Number.isFinite(value)) throw invalidValue(at, "TYPE_DOUBLE", json);
  return value;
}

/** Base64 of either alphabet, with or without padding. */
export function readBytes(json: unknown, at: string): Uint8Array {
  const digits = typeof json === "string" ? /^(?:([A-Za-z0-9+/]*)|([A-Za-z0-9_-]*))={0,2}$/.exec(json) : null;
  if (!digits || (digits[1] ?? digits[2] ?? "").length % 4 === 1) throw invalidValue(at, "TYPE_BYTES", json);
  return Uint8Array.from(Buffer.from(json as string, "base64"));
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d{1,9}))?(?:Z|[+-]\d{2}:\d{2})$/;

export function readTimestamp(json: unknown, at: string): Timestamp {
  const match = typeof json === "string" ? RFC_3339.exec(json) : null;
  const millis = match ? Date.parse((json as string).replace(/\.\d+/, "")) : Number.NaN;
  if (!match || Number.isNaN(millis)) throw invalidValue(at, "type.googleapis.com/google.protobuf.Timestamp", json);
  return checkedTimestamp(millis / 1000, Number((match[1] ?? "").padEnd(9, "0")));
}

export function readGeoPoint(json: unknown, at: string): GeoPoint {
  const { latitude = 0, longitude = 0, ...unknown } = objectAt(json, at, "google.type.LatLng");
  refuseUnknown(unknown, at);
  return new GeoPoint(
    readDouble(latitude ?? 0, join(at, "latitude")),
    readDouble(longitude ?? 0, join(at, "longitude")),
  );
}

/** A message, or the entries of a map. @param type what should be there, by its full name */
export function objectAt(json: unknown, at: string, type: string): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalidValue(at, `type.googleapis.com/${type.replace(/^\./, "")}`, json);
  }
  return json as Record<string, unknown>;
}

/** @param unknown what is left of a message when all that it can have is taken out */
export function refuseUnknown(unknown: object, at: string): void {
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw unknownName(name, at);
}

export function unknownName(name: string, at: string): StatusError {
  const where = at === "" ? "" : ` at '${at}'`;
  return badRequest(at, `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`);
}

export function invalidValue(at: string, type: string, json: unknown): StatusError {
  const shown = typeof json === "bigint" ? String(json) : (JSON.stringify(json, withLongIntegers) ?? "nothing");
  const cut = shown.length > SHOWN_CHARACTERS ? `${shown.slice(0, SHOWN_CHARACTERS)}…` : shown;
  return badRequest(at, `Invalid value at '${at}' (${type}), ${cut}`);
}

function withLongIntegers(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Of members of a oneof, one can be there. */
export function secondOf(oneof: string, name: string, at: string): StatusError {
  const group = oneof.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const reason = `oneof field '${group}' is already set. Cannot set '${name}'`;
  return badRequest(at, `Invalid value at '${at}' (oneof), ${reason}`);
}

/** @param field the place in the request that is wrong */
export function badRequest(field: string, description: string): StatusError {
  const violation = { ...(field === "" ? {} : { field }), description };
  return new StatusError("INVALID_ARGUMENT", description, [
    { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [violation] },
  ]);
}

export function join(at: string, name: string): string {
  return at === "" ? name : `${at}.${name}`;
}
