import { RulesError, type RulesValue } from "../value.ts";
import { LIMITS } from "./limits.ts";
import { MAX_INT, MIN_INT, saturate } from "./numbers.ts";
import { formatPath, parsePath } from "./paths.ts";
import { fn, type Operations } from "./signature.ts";
import { hasType, typeOf, unsupported } from "./types.ts";

/**
 * The global conversions. What they take is in the reference of the type that they give; how they read and write floats is Java's,
 * which is what the service does. `bool` is in the reference, but the service was seen not to know it.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.Integer, rules.Float, rules.Boolean, rules.String and rules.Path;
 * https://github.com/davideast/pyric/tree/main/packages/conformance/observations/storage-rules (conversion-functions)
 */
export const CONVERSIONS: Operations<undefined> = new Map([
  ["bool", fn(["bool|string"], toBool)],
  ["float", fn(["int|float|string"], toFloat)],
  ["int", fn(["int|float|string"], toInteger)],
  ["path", fn(["string"], (text) => parsePath(text))],
  ["string", fn(["any"], (value) => toText(value))],
]);

function conversionError(text: string, type: string): RulesError {
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return new RulesError(`Type conversion error. Argument: [${shown}], From type: [string], To type: [${type}].`);
}

function toBool(value: boolean | string): boolean {
  if (typeof value === "boolean") return value;
  if (value !== "true" && value !== "false") throw conversionError(value, "bool");
  return value === "true";
}

const INT = /^[+-]?\d+$/;

function toInteger(value: bigint | number | string): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return saturate(value);
  if (value.length > LIMITS.digits || !INT.test(value)) throw conversionError(value, "int");
  const parsed = BigInt(value.replace("+", ""));
  if (parsed < MIN_INT || parsed > MAX_INT) throw conversionError(value, "int");
  return parsed;
}

const DECIMAL = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$/;
const SPECIAL = /^([+-]?)(NaN|Infinity)$/;
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/;

/** Reads what `Double.parseDouble` of Java reads. */
function toFloat(value: bigint | number | string): number {
  if (typeof value !== "string") return Number(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Java trims control characters too
  const text = value.length > LIMITS.digits ? "" : value.replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, "");
  const parsed = readDecimal(text) ?? readHexadecimal(text);
  if (parsed === undefined) throw conversionError(value, "float");
  return parsed;
}

function readDecimal(text: string): number | undefined {
  const [, sign, special] = SPECIAL.exec(text) ?? [];
  if (special !== undefined) return Number(special) * (sign === "-" ? -1 : 1);
  const [, decimal] = DECIMAL.exec(text) ?? [];
  return decimal === undefined ? undefined : Number(decimal);
}

function readHexadecimal(text: string): number | undefined {
  const [, sign, whole = "", fraction = "", exponent] = HEXADECIMAL.exec(text) ?? [];
  if (exponent === undefined || whole + fraction === "") return undefined;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  return mantissa * 2 ** (Number(exponent) - 4 * fraction.length) * (sign === "-" ? -1 : 1);
}

/** What `string()` gives. @throws RulesError for what it does not take */
export function toText(value: RulesValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatFloat(value);
  if (value === null || typeof value !== "object") return String(value);
  if (hasType(value, "path")) return formatPath(value);
  throw unsupported(`string(${typeOf(value)})`, "string(int|float|null|string|bool|path)");
}

/** The magnitudes that are written without an exponent. */
const PLAIN_FROM = 1e-3;
const PLAIN_BELOW = 1e7;

/**
 * A float as `Double.toString` of Java writes it: with a digit behind the point, in scientific notation when very large or small.
 * Source: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Double.html#toString(double)
 */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const magnitude = Math.abs(value);
  if (magnitude === 0) return `${sign}0.0`;
  const plain = magnitude >= PLAIN_FROM && magnitude < PLAIN_BELOW;
  return sign + (plain ? withPoint(String(magnitude)) : scientific(magnitude));
}

function withPoint(digits: string): string {
  return digits.includes(".") ? digits : `${digits}.0`;
}

/** Java looks for the nearest decimal of at least two digits, where JavaScript is content with one. */
function scientific(magnitude: number): string {
  const shortest = magnitude.toExponential();
  const [digits = "", exponent = ""] = (shortest.includes(".") ? shortest : magnitude.toExponential(1)).split("e");
  return `${withPoint(digits)}E${exponent.replace("+", "")}`;
}
