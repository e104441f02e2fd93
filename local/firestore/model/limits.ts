import { invalidArgument } from "../wire/status.ts";
import { documentPath, isReservedField, parseName } from "./path.ts";
import { type Fields, GeoPoint, isArray, isMap, Reference, Timestamp, type Value, vectorOf } from "./value.ts";

/** What Firestore refuses to store. Source: https://firebase.google.com/docs/firestore/quotas */
export const LIMITS = {
  documentBytes: 1_048_576,
  /** Of a string or of bytes, wherever in a document. */
  valueBytes: 1_048_487,
  fieldNameBytes: 1_500,
  depth: 20,
  vectorDimensions: 2_048,
  transformsPerDocument: 500,
  requestBytes: 10 * 1024 * 1024,
} as const;

/** Refuses fields that cannot be stored at this name; answers with the document's size in bytes as Firestore counts it. */
export function checkDocument(name: string, path: string, fields: Fields): number {
  checkFields(fields);
  const bytes = documentBytes(path, fields);
  if (bytes > LIMITS.documentBytes) {
    throw invalidArgument(
      `Document '${name}' cannot be written because its size (${bytes.toLocaleString("en")} bytes) exceeds the maximum allowed size of ${LIMITS.documentBytes.toLocaleString("en")} bytes.`,
    );
  }
  return bytes;
}

/** Refuses fields that no document may have. */
export function checkFields(fields: Fields): void {
  for (const [field, value] of fields) checkField(field, value, 1);
}

function checkField(name: string, value: Value, depth: number): void {
  if (name === "") throw invalidArgument("The field name cannot be empty.");
  if (isReservedField(name))
    throw invalidArgument(`Field name "${name}" is reserved: names that match __.*__ cannot be used.`);
  if (name.length > LIMITS.fieldNameBytes / 3 && Buffer.byteLength(name) > LIMITS.fieldNameBytes) {
    throw invalidArgument(`The field name "${name.slice(0, 32)}…" is longer than ${LIMITS.fieldNameBytes} bytes.`);
  }
  checkValue(name, value, depth);
}

function checkValue(property: string, value: Value, depth: number): void {
  if (isMap(value)) return checkMap(property, value, depth);
  if (isArray(value)) return checkArray(property, value, depth);
  if (value instanceof GeoPoint) checkGeoPoint(value);
  if (value instanceof Reference) documentPath(value.name, parseName(value.name).database);
  if (typeof value === "string" || value instanceof Uint8Array) checkLength(property, value);
}

function checkLength(property: string, value: string | Uint8Array): void {
  if (value.length <= LIMITS.valueBytes / 3 || Buffer.byteLength(value) <= LIMITS.valueBytes) return;
  throw invalidArgument(`The value of property "${property}" is longer than ${LIMITS.valueBytes} bytes.`);
}

function checkMap(property: string, value: Fields, depth: number): void {
  if (value.get("__type__") === "__vector__") return checkVector(property, value);
  if (depth > LIMITS.depth) throw tooDeep(property);
  for (const [name, nested] of value) checkField(name, nested, depth + 1);
}

function checkArray(property: string, value: readonly Value[], depth: number): void {
  if (depth > LIMITS.depth) throw tooDeep(property);
  for (const item of value) {
    if (isArray(item)) throw invalidArgument("Cannot convert an array value in an array value.");
    if (isMap(item) && vectorOf(item)) throw invalidArgument("Cannot convert a vector value in an array value.");
    checkValue(property, item, depth + 1);
  }
}

function checkGeoPoint({ latitude, longitude }: GeoPoint): void {
  if (!(Math.abs(latitude) <= 90)) throw invalidArgument("Latitude must be in the range of [-90, 90].");
  if (!(Math.abs(longitude) <= 180)) throw invalidArgument("Longitude must be in the range of [-180, 180].");
}

function checkVector(property: string, value: Fields): void {
  const components = vectorOf(value);
  if (!components || value.size !== 2) throw invalidArgument(`Property ${property} contains an invalid vector value.`);
  if (components.length === 0) throw invalidArgument("Cannot have a zero length vector.");
  if (components.length > LIMITS.vectorDimensions) {
    throw invalidArgument(`Property ${property} contains a vector of more than ${LIMITS.vectorDimensions} dimensions.`);
  }
  if (!components.every((component) => typeof component === "number")) {
    throw invalidArgument(`Property ${property} contains a vector with a component that is not a double.`);
  }
}

function tooDeep(property: string): Error {
  return invalidArgument(
    `Property ${property} contains an invalid nested entity: the maximum depth is ${LIMITS.depth}.`,
  );
}

/** A document's size as Firestore counts it. Source: https://firebase.google.com/docs/firestore/storage-size */
function documentBytes(path: string, fields: Fields): number {
  return nameBytes(path) + mapBytes(fields) + 32;
}

function nameBytes(path: string): number {
  let bytes = 16;
  for (const segment of path.split("/")) bytes += Buffer.byteLength(segment) + 1;
  return bytes;
}

function mapBytes(fields: Fields): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += Buffer.byteLength(name) + 1 + valueBytes(value);
  return bytes;
}

function valueBytes(value: Value): number {
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value === "bigint" || typeof value === "number") return 8;
  if (typeof value === "string") return Buffer.byteLength(value) + 1;
  if (value instanceof Timestamp) return 8;
  if (value instanceof GeoPoint) return 16;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Reference) return nameBytes(value.name.split("/documents/")[1] ?? value.name);
  if (isArray(value)) return value.reduce((bytes: number, item) => bytes + valueBytes(item), 0);
  return mapBytes(value);
}
