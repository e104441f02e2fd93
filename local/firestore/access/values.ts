import { LatLng, type RulesMap, RulesPath, RulesTimestamp, type RulesValue } from "../../rules/value.ts";
import { lastSegment } from "../model/path.ts";
import { type Fields, GeoPoint, isArray, Reference, Timestamp, type Value } from "../model/value.ts";

/** A document as rules see it: `data`, `id` and `__name__`. */
export function resourceOf(database: string, path: string, fields: Fields): RulesMap {
  return new Map<string, RulesValue>([
    ["data", mapOf(fields)],
    ["id", lastSegment(path)],
    ["__name__", new RulesPath(segmentsOf(database, path))],
  ]);
}

/** From the root of rules: `["databases", "(default)", "documents", …]`. @param database `projects/p/databases/d` */
export function segmentsOf(database: string, path: string): string[] {
  const [, , , id = ""] = database.split("/");
  return ["databases", id, "documents", ...(path === "" ? [] : path.split("/"))];
}

/** A value of a document as rules have it. */
export function rulesValueOf(value: Value): RulesValue {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Timestamp) return new RulesTimestamp(value.seconds, value.nanos);
  if (value instanceof Reference) return pathOf(value.name);
  if (value instanceof GeoPoint) return new LatLng(value.latitude, value.longitude);
  if (value instanceof Uint8Array) return value;
  return isArray(value) ? value.map(rulesValueOf) : mapOf(value);
}

/** JSON, as in the claims of a token: whole numbers are integers. */
export function rulesValueOfJson(json: unknown): RulesValue {
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (json === null || typeof json === "string" || typeof json === "boolean") return json;
  if (Array.isArray(json)) return json.map(rulesValueOfJson);
  if (typeof json !== "object") return null;
  return new Map(Object.entries(json).map(([name, value]) => [name, rulesValueOfJson(value)]));
}

function mapOf(fields: Fields): RulesMap {
  const map = new Map<string, RulesValue>();
  for (const [name, value] of fields) map.set(name, rulesValueOf(value));
  return map;
}

/** The path of a resource name, `projects/p/databases/d/documents/…`. */
function pathOf(name: string): RulesPath {
  return new RulesPath(name.split("/").slice(2));
}
