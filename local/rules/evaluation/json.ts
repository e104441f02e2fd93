import { formatValue } from "../library/format.ts";
import { LatLng, RulesDuration, RulesPath, RulesSet, RulesTimestamp, type RulesValue } from "../value.ts";

/** A report is for people, and kept for as long as the server runs: of large values it has the beginning only. */
const MAX_DEPTH = 5;
const MAX_ITEMS = 100;
const MAX_CHARACTERS = 1_000;

/** A value in the JSON form of an emulator's report: an object whose one field says of which type it is. */
export function valueToJson(value: RulesValue, depth = 0): object {
  if (value === null) return { nullValue: null };
  switch (typeof value) {
    case "boolean":
      return { boolValue: value };
    case "bigint":
      return { intValue: String(value) };
    case "number":
      return { floatValue: Number.isFinite(value) ? value : String(value) };
    case "string":
      return { stringValue: value.slice(0, MAX_CHARACTERS) };
    default:
      return depth > MAX_DEPTH ? { stringValue: formatValue(value) } : objectToJson(value, depth);
  }
}

function objectToJson(value: RulesValue & object, depth: number): object {
  if (value instanceof RulesSet) return { setValue: { values: itemsToJson(value.items, depth) } };
  if (Array.isArray(value)) return { listValue: { values: itemsToJson(value, depth) } };
  if (value instanceof Map) return { mapValue: { fields: fieldsToJson(value, depth) } };
  return scalarToJson(value);
}

function itemsToJson(items: readonly RulesValue[], depth: number): object[] {
  return items.slice(0, MAX_ITEMS).map((item) => valueToJson(item, depth + 1));
}

function fieldsToJson(map: ReadonlyMap<string, RulesValue>, depth: number): object {
  return Object.fromEntries([...map].slice(0, MAX_ITEMS).map(([name, field]) => [name, valueToJson(field, depth + 1)]));
}

function scalarToJson(value: RulesValue & object): object {
  if (value instanceof Uint8Array)
    return { bytesValue: Buffer.from(value.subarray(0, MAX_CHARACTERS)).toString("base64") };
  if (value instanceof RulesTimestamp) return { timestampValue: formatValue(value) };
  if (value instanceof RulesDuration) return { durationValue: formatValue(value) };
  if (value instanceof LatLng) return { latlngValue: { latitude: value.latitude, longitude: value.longitude } };
  if (value instanceof RulesPath) return { pathValue: { segments: value.segments.map((simple) => ({ simple })) } };
  return { stringValue: formatValue(value) };
}
