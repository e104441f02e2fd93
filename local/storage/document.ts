import * as z from "zod";
import { LatLng, type RulesMap, RulesPath, type RulesValue } from "../rules/value.ts";
import { type Kind, parse, readerOf, timestampOf } from "./value.ts";

/**
 * Documents of Firestore as its REST API has them.
 * Source: https://firebase.google.com/docs/firestore/reference/rest/v1/Value
 */

const Values = z.object({ values: z.array(z.unknown()).default([]) });
const Fields = z.object({ fields: z.record(z.string(), z.unknown()).default({}) });
const Place = z.object({ latitude: z.number().default(0), longitude: z.number().default(0) });
/** What JSON has no number for is a text. */
const Double = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"])]);
const Integer = z.union([z.int(), z.string().regex(/^-?\d{1,19}$/)]);

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["nullValue", () => null],
  ["booleanValue", (content) => parse(z.boolean(), content)],
  ["integerValue", (content) => BigInt(parse(Integer, content))],
  ["doubleValue", (content) => Number(parse(Double, content))],
  ["stringValue", (content) => parse(z.string(), content)],
  ["timestampValue", timestampOf],
  ["bytesValue", (content) => new Uint8Array(Buffer.from(parse(z.string(), content), "base64"))],
  ["referenceValue", (content) => new RulesPath(parse(z.string(), content).split("/").slice(2))],
  ["geoPointValue", placeOf],
  ["arrayValue", (content, read) => parse(Values, content).values.map(read)],
  ["mapValue", mapOf],
]);

const read = readerOf(KINDS);

/** What `firestore.get()` gives: `data`, `id` and `__name__`. @throws UnreadableValue */
export function documentOf(path: readonly string[], json: unknown): RulesMap {
  return new Map<string, RulesValue>([
    ["data", mapOf(json, read)],
    ["id", path.at(-1) ?? ""],
    ["__name__", new RulesPath(path)],
  ]);
}

/** `/databases/(default)/documents/users/ada`, escaped so that whatever a segment holds stays in it. */
export function urlPathOf(path: readonly string[]): string {
  return `/${path.map(encodeURIComponent).join("/")}`;
}

function placeOf(content: unknown): LatLng {
  const { latitude, longitude } = parse(Place, content);
  return new LatLng(latitude, longitude);
}

function mapOf(json: unknown, read: (json: unknown) => RulesValue): RulesMap {
  return new Map(Object.entries(parse(Fields, json).fields).map(([name, field]) => [name, read(field)]));
}
