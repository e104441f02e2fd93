import * as z from "zod";
import { callMethod } from "../rules/library/methods.ts";
import { type RulesMap, RulesPath, type RulesValue } from "../rules/value.ts";
import { type Kind, parse, readerOf, timestampOf, UnreadableValue } from "./value.ts";

/**
 * `resource` and `request` as the CLI puts them.
 * Source: `toExpressionValue` and `createRequestExpressionValue` of firebase-tools/lib/emulator/storage/rules/runtime.js
 */

const Values = z.object({ values: z.array(z.unknown()).default([]) });
const Fields = z.object({ fields: z.record(z.string(), z.unknown()).default({}) });
const Segments = z.object({ segments: z.array(z.object({ simple: z.string() })).default([]) });

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["null_value", () => null],
  ["bool_value", (content) => parse(z.boolean(), content)],
  ["int_value", (content) => integerOf(parse(z.number(), content))],
  ["float_value", (content) => parse(z.number(), content)],
  ["string_value", (content) => parse(z.string(), content)],
  ["timestamp_value", timestampOf],
  ["list_value", (content, read) => parse(Values, content).values.map(read)],
  ["set_value", (content, read) => callMethod(parse(Values, content).values.map(read), "toSet", [])],
  ["map_value", (content, read) => mapOf(parse(Fields, content).fields, read)],
  ["path_value", (content) => new RulesPath(parse(Segments, content).segments.map(({ simple }) => simple))],
]);

const read = readerOf(KINDS);

/** A variable that is a map, or null where there is none. @throws UnreadableValue */
export function variableOf(json: unknown): RulesMap | null {
  const value = json === undefined ? null : read(json);
  if (value !== null && !(value instanceof Map)) throw new UnreadableValue("A variable is neither a map nor null.");
  return value;
}

/** Large numbers have lost their last digits on the way, as they have in JavaScript. */
function integerOf(value: number): bigint {
  if (!Number.isInteger(value)) throw new UnreadableValue(`${value} is not an integer.`);
  return BigInt(value);
}

function mapOf(fields: Readonly<Record<string, unknown>>, read: (json: unknown) => RulesValue): RulesMap {
  return new Map(Object.entries(fields).map(([name, field]) => [name, read(field)]));
}
