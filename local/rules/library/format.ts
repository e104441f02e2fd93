import type { RulesMap, RulesTimestamp, RulesValue } from "../value.ts";
import { formatFloat } from "./conversions.ts";
import { formatPath } from "./paths.ts";
import { nanosOf } from "./time.ts";
import { hasType } from "./types.ts";

const MAX_LENGTH = 100;
const MAX_DEPTH = 10;
const NANOS_PER_SECOND = 1_000_000_000n;

/** A value for people, about as rules would write it, cut at 100 characters: `{"a": [1, 2.0]}`. */
export function formatValue(value: RulesValue): string {
  const text = write(value, 0);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text;
}

function write(value: RulesValue, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_LENGTH));
  if (typeof value === "number") return formatFloat(value);
  if (value === null || typeof value !== "object") return String(value);
  if (depth > MAX_DEPTH) return "…";
  if (hasType(value, "list")) return `[${join(value, (item) => write(item, depth + 1))}]`;
  if (hasType(value, "map")) return writeMap(value, depth);
  if (hasType(value, "set")) return `${write(value.items, depth)}.toSet()`;
  if (hasType(value, "map_diff")) return `${writeMap(value.left, depth)}.diff(${writeMap(value.right, depth)})`;
  return writeScalar(value);
}

function writeMap(map: RulesMap, depth: number): string {
  return `{${join(map, ([name, field]) => `${JSON.stringify(name.slice(0, MAX_LENGTH))}: ${write(field, depth + 1)}`)}}`;
}

/** Items with commas between them, no more than can be shown. */
function join<Item>(items: Iterable<Item>, writeItem: (item: Item) => string): string {
  let joined = "";
  for (const item of items) {
    if (joined.length > MAX_LENGTH) return joined;
    joined += (joined === "" ? "" : ", ") + writeItem(item);
  }
  return joined;
}

function writeScalar(value: RulesValue & object): string {
  if (hasType(value, "bytes")) return `b'${writeBytes(value.subarray(0, MAX_LENGTH))}'`;
  if (hasType(value, "timestamp")) return writeTimestamp(value);
  if (hasType(value, "duration")) return writeSeconds(nanosOf(value));
  if (hasType(value, "latlng")) return `latlng(${formatFloat(value.latitude)}, ${formatFloat(value.longitude)})`;
  return hasType(value, "path") ? formatPath(value) : "";
}

function writeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0").toUpperCase()}`).join("");
}

function writeTimestamp({ seconds, nanos }: RulesTimestamp): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", `${fraction(BigInt(nanos))}Z`);
}

function writeSeconds(nanos: bigint): string {
  const [sign, magnitude] = nanos < 0n ? ["-", -nanos] : ["", nanos];
  return `${sign}${magnitude / NANOS_PER_SECOND}${fraction(magnitude % NANOS_PER_SECOND)}s`;
}

function fraction(nanos: bigint): string {
  return nanos === 0n ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
}
