import * as z from "zod";
import { RulesTimestamp, type RulesValue } from "../rules/value.ts";

/** How one type of value is read from JSON; `read` reads what is inside of it. */
export type Kind = (content: unknown, read: (json: unknown) => RulesValue) => RulesValue;

/** A value is not what it should be; the message is for people. */
export class UnreadableValue extends Error {}

/** Lists and maps within each other: more than rules can look into. */
const MAX_DEPTH = 100;

const Tagged = z.record(z.string(), z.unknown());
const Seconds = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/**
 * Reads values that are JSON objects of one member, whose name says of which type they are: `{"string_value":"a"}`.
 * @throws UnreadableValue
 */
export function readerOf(kinds: ReadonlyMap<string, Kind>): (json: unknown) => RulesValue {
  const read = (json: unknown, depth: number): RulesValue => {
    if (depth > MAX_DEPTH) throw new UnreadableValue(`A value is more than ${MAX_DEPTH} levels deep.`);
    const [[name, content] = ["nothing", undefined], ...more] = Object.entries(parse(Tagged, json));
    const kind = kinds.get(name);
    if (!kind || more.length > 0) throw new UnreadableValue(`There is no value of the type ${name}.`);
    return kind(content, (inner) => read(inner, depth + 1));
  };
  return (json) => read(json, 0);
}

/** What has to be of a shape. @throws UnreadableValue */
export function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(json);
  if (error) throw new UnreadableValue(z.prettifyError(error));
  return data as z.output<Schema>;
}

/** A moment as JSON has it: in UTC, with up to nine digits of a second. */
export function timestampOf(json: unknown): RulesTimestamp {
  const text = parse(z.string(), json);
  const [, second, fraction = ""] = Seconds.exec(text) ?? [];
  const millis = Date.parse(`${second}Z`);
  if (Number.isNaN(millis)) throw new UnreadableValue(`"${text.slice(0, 40)}" is no time.`);
  return new RulesTimestamp(millis / 1_000, Number(fraction.padEnd(9, "0")));
}
