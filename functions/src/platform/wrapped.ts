import { invalidInput } from "./failure.ts";

/**
 * Numbers of 64 bits come in the protocol of callable functions as `{"@type": "…Int64Value", "value": "7"}`. The SDK answers those that it
 * cannot read, and whatever else has an `@type`, as an error of ours; here they are the caller's.
 * Source: https://firebase.google.com/docs/functions/callable-reference#serialization
 */
const WRAPPERS: ReadonlySet<unknown> = new Set([
  "type.googleapis.com/google.protobuf.Int64Value",
  "type.googleapis.com/google.protobuf.UInt64Value",
]);
const MAX_DEPTH = 100;

/** Data with the numbers taken out of their wrappers. Refuses `invalid-input`, where one is wrong or the data go too deep. */
export function unwrapped(data: unknown, path: readonly string[] = []): unknown {
  if (typeof data !== "object" || data === null) return data;
  if (path.length === MAX_DEPTH) throw invalidInput(path[0] ?? "", "goes too deep");
  if ("@type" in data && data["@type"]) return numberIn(data, path);
  if (Array.isArray(data)) return data.map((one, i) => unwrapped(one, [...path, String(i)]));
  return Object.fromEntries(Object.entries(data).map(([name, one]) => [name, unwrapped(one, [...path, name])]));
}

function numberIn(wrapper: object, path: readonly string[]): number {
  const { "@type": type, value } = wrapper as { "@type": unknown; value?: unknown };
  const isWritten = typeof value === "number" || (typeof value === "string" && value !== "");
  const number = WRAPPERS.has(type) && isWritten ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw invalidInput(path.join("."), "is not a number of 64 bits");
  return number;
}
