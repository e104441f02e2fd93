import * as z from "zod";
import { invalid, type StripeError } from "./errors.ts";
import type { Fields } from "./form.ts";

/** The kinds of parameters that Stripe's requests have, read from the texts of a form. */

export const text = z.string().max(5_000);
export const id = z.string().min(1).max(255);
export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/, "Invalid integer")
  .transform(Number);
export const count = integer.refine((value) => value >= 0, "Invalid non-negative integer");
/** In the currency's smallest unit, up to the eight digits that Stripe takes. */
export const amount = count.refine((value) => value >= 1 && value <= 99_999_999, "Invalid positive integer");
export const flag = z.enum(["true", "false"]).transform((value) => value === "true");
export const currency = z
  .string()
  .regex(/^[a-zA-Z]{3}$/, "Invalid currency")
  .transform((value) => value.toLowerCase());

const METADATA_KEYS = 50;
/** Keys to set; an empty text takes one away, and in the place of all takes them all. */
export const metadata = z.preprocess(
  (value) => (value === "" ? null : value),
  z
    .record(z.string().min(1).max(40), z.string().max(500))
    .refine((all) => Object.keys(all).length <= METADATA_KEYS, `At most ${METADATA_KEYS} keys of metadata`)
    .nullable(),
);
export type MetadataChange = z.output<typeof metadata> | undefined;

/** A list, which comes as fields named by numbers. */
export function list<S extends z.ZodType>(entry: S, max = 100) {
  return z.preprocess(listed, z.array(entry).max(max));
}

/** A parameter that an empty text takes away: null. */
export function clearable<S extends z.ZodType>(schema: S) {
  return z.preprocess((value) => (value === "" ? null : value), schema.nullable());
}

export const address = z.strictObject({
  city: text.optional(),
  country: text.optional(),
  line1: text.optional(),
  line2: text.optional(),
  postal_code: text.optional(),
  state: text.optional(),
});

export const range = z.preprocess(
  (value) => (typeof value === "string" ? { gte: value, lte: value } : value),
  z.strictObject({ gt: integer.optional(), gte: integer.optional(), lt: integer.optional(), lte: integer.optional() }),
);
export type Range = z.output<typeof range>;

export const page = {
  limit: count.refine((value) => value >= 1 && value <= 100, "Invalid limit: between 1 and 100").optional(),
  starting_after: id.optional(),
  ending_before: id.optional(),
};
export const none = z.strictObject({});

/** Reads a request's parameters. Throws StripeError that names the first that is wrong. */
export function parseParams<S extends z.ZodType>(schema: S, fields: Fields): z.output<S> {
  const result = schema.safeParse(fields);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw issue === undefined ? invalid("Invalid request.", { early: true }) : refusal(issue, fields);
}

/** Sets and takes away keys as {@link metadata} says. Throws StripeError for more than 50. */
export function changeMetadata(held: Record<string, string>, change: MetadataChange): void {
  if (change === null) for (const key of Object.keys(held)) delete held[key];
  const left = new Set(Object.keys(held));
  for (const [key, value] of Object.entries(change ?? {})) value === "" ? left.delete(key) : left.add(key);
  if (left.size > METADATA_KEYS) {
    throw invalid(`You can have up to ${METADATA_KEYS} metadata keys.`, { param: "metadata", early: true });
  }
  for (const [key, value] of Object.entries(change ?? {})) {
    if (value === "") delete held[key];
    else held[key] = value;
  }
}

/** The same for an object that may have none yet. */
export function reviseMetadata(object: { metadata?: Record<string, string> | null }, change: MetadataChange): void {
  object.metadata ??= {};
  changeMetadata(object.metadata, change);
}

export function newMetadata(given: MetadataChange): Record<string, string> {
  const held: Record<string, string> = {};
  changeMetadata(held, given);
  return held;
}

/** The fields that are given, for those that a request leaves as they are. */
export function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function listed(value: unknown): unknown {
  if (value === "") return [];
  if (typeof value !== "object" || value === null) return value;
  const names = Object.keys(value);
  return names.every((name) => /^\d{1,6}$/.test(name)) ? Object.values(value) : value;
}

function refusal(issue: z.core.$ZodIssue, fields: Fields): StripeError {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const param = nameOf([...path, issue.keys[0] ?? ""]);
    return invalid(`Received unknown parameter: ${param}`, { code: "parameter_unknown", param, early: true });
  }
  const param = nameOf(path);
  if (isAbsent(fields, path)) {
    return invalid(`Missing required param: ${param}.`, { code: "parameter_missing", param, early: true });
  }
  const code = issue.message.startsWith("Invalid integer") ? "parameter_invalid_integer" : undefined;
  return invalid(`Invalid ${param}: ${issue.message}`, { param, early: true, ...(code === undefined ? {} : { code }) });
}

function isAbsent(fields: Fields, path: readonly string[]): boolean {
  let at: string | Fields | undefined = fields;
  for (const part of path) at = typeof at === "object" ? at[part] : undefined;
  return at === undefined;
}

function nameOf([first = "", ...rest]: readonly string[]): string {
  return first + rest.map((part) => `[${part}]`).join("");
}
