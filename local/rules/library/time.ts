import { RulesDuration, RulesError, RulesTimestamp } from "../value.ts";
import { fn, method, type Operations } from "./signature.ts";

/**
 * Timestamps and durations, in UTC and to the nanosecond.
 * Sources: https://firebase.google.com/docs/reference/rules/rules.Timestamp, rules.Duration, rules.timestamp and rules.duration
 */

const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MILLI = 1_000_000n;
const SECONDS_PER_DAY = 86_400;
/** The ranges of `google.protobuf.Timestamp` (0001-01-01 to 9999-12-31) and `google.protobuf.Duration` (10,000 years). */
const MIN_TIMESTAMP = -62_135_596_800n * NANOS_PER_SECOND;
const MAX_TIMESTAMP = 253_402_300_800n * NANOS_PER_SECOND - 1n;
const MAX_DURATION = 315_576_000_000n * NANOS_PER_SECOND;
const MIN_YEAR = 1n;
const MAX_YEAR = 9999n;

/** The units of `duration.value`, in nanoseconds. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["w", 604_800n * NANOS_PER_SECOND],
  ["d", 86_400n * NANOS_PER_SECOND],
  ["h", 3_600n * NANOS_PER_SECOND],
  ["m", 60n * NANOS_PER_SECOND],
  ["s", NANOS_PER_SECOND],
  ["ms", NANOS_PER_MILLI],
  ["ns", 1n],
]);

/** Nanoseconds since the epoch, or of a duration. */
export function nanosOf(value: RulesTimestamp | RulesDuration): bigint {
  return BigInt(value.seconds) * NANOS_PER_SECOND + BigInt(value.nanos);
}

/** @throws RulesError outside of the years 1 to 9999 */
function toTimestamp(nanos: bigint): RulesTimestamp {
  if (nanos < MIN_TIMESTAMP || nanos > MAX_TIMESTAMP) throw new RulesError("Timestamp out of range.");
  const within = ((nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  return new RulesTimestamp(Number((nanos - within) / NANOS_PER_SECOND), Number(within));
}

/** @throws RulesError beyond 10,000 years */
function toDuration(nanos: bigint): RulesDuration {
  if (nanos < -MAX_DURATION || nanos > MAX_DURATION) throw new RulesError("Duration out of range.");
  return new RulesDuration(Number(nanos / NANOS_PER_SECOND), Number(nanos % NANOS_PER_SECOND));
}

/** Timestamps and durations added, as far as that has a meaning; undefined for two timestamps. */
export function add(
  left: RulesTimestamp | RulesDuration,
  right: RulesTimestamp | RulesDuration,
): RulesTimestamp | RulesDuration | undefined {
  const sum = nanosOf(left) + nanosOf(right);
  if (left instanceof RulesDuration && right instanceof RulesDuration) return toDuration(sum);
  return left instanceof RulesTimestamp && right instanceof RulesTimestamp ? undefined : toTimestamp(sum);
}

/** One taken from the other; undefined for a timestamp taken from a duration. */
export function subtract(
  left: RulesTimestamp | RulesDuration,
  right: RulesTimestamp | RulesDuration,
): RulesTimestamp | RulesDuration | undefined {
  const difference = nanosOf(left) - nanosOf(right);
  if (left instanceof RulesTimestamp && right instanceof RulesDuration) return toTimestamp(difference);
  return left instanceof RulesDuration && right instanceof RulesTimestamp ? undefined : toDuration(difference);
}

function dateOf(timestamp: RulesTimestamp): Date {
  return new Date(timestamp.seconds * 1000);
}

function secondsOfDay(timestamp: RulesTimestamp): number {
  return ((timestamp.seconds % SECONDS_PER_DAY) + SECONDS_PER_DAY) % SECONDS_PER_DAY;
}

/** 1 for the first of January. */
function dayOfYear(timestamp: RulesTimestamp): number {
  const start = dateOf(timestamp);
  start.setUTCMonth(0, 1);
  return Math.round((dateOf(timestamp).getTime() - start.getTime()) / (SECONDS_PER_DAY * 1000)) + 1;
}

export const TIMESTAMP_METHODS: Operations<RulesTimestamp> = new Map([
  ["date", method([], (t: RulesTimestamp) => new RulesTimestamp(t.seconds - secondsOfDay(t)))],
  ["day", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCDate()))],
  // 1 is Monday, 7 is Sunday.
  ["dayOfWeek", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCDay() || 7))],
  ["dayOfYear", method([], (t: RulesTimestamp) => BigInt(dayOfYear(t)))],
  ["hours", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCHours()))],
  ["minutes", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCMinutes()))],
  ["month", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCMonth() + 1))],
  ["nanos", method([], (t: RulesTimestamp) => BigInt(t.nanos))],
  ["seconds", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCSeconds()))],
  ["time", method([], (t: RulesTimestamp) => new RulesDuration(secondsOfDay(t), t.nanos))],
  ["toMillis", method([], (t: RulesTimestamp) => BigInt(t.seconds) * 1000n + BigInt(t.nanos) / NANOS_PER_MILLI)],
  ["year", method([], (t: RulesTimestamp) => BigInt(dateOf(t).getUTCFullYear()))],
]);

export const DURATION_METHODS: Operations<RulesDuration> = new Map([
  ["nanos", method([], (d: RulesDuration) => BigInt(d.nanos))],
  ["seconds", method([], (d: RulesDuration) => BigInt(d.seconds))],
]);

export const TIMESTAMP_FUNCTIONS: Operations<undefined> = new Map([
  ["date", fn(["int", "int", "int"], dateFrom)],
  ["value", fn(["int"], (millis) => toTimestamp(millis * NANOS_PER_MILLI))],
]);

export const DURATION_FUNCTIONS: Operations<undefined> = new Map([
  ["abs", fn(["duration"], (duration) => new RulesDuration(Math.abs(duration.seconds), Math.abs(duration.nanos)))],
  [
    "time",
    fn(["int", "int", "int", "int"], (hours, minutes, seconds, nanos) =>
      toDuration((hours * 3_600n + minutes * 60n + seconds) * NANOS_PER_SECOND + nanos),
    ),
  ],
  ["value", fn(["int", "string"], durationFrom)],
]);

function dateFrom(year: bigint, month: bigint, day: bigint): RulesTimestamp {
  const date = new Date(0);
  const known = year >= MIN_YEAR && year <= MAX_YEAR && month >= 1n && month <= 12n && day >= 1n && day <= 31n;
  if (known) date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (!known || date.getUTCDate() !== Number(day)) throw new RulesError(`Invalid date: ${year}-${month}-${day}.`);
  return new RulesTimestamp(date.getTime() / 1000);
}

function durationFrom(magnitude: bigint, unit: string): RulesDuration {
  const nanos = UNITS.get(unit);
  if (nanos === undefined) throw new RulesError(`Unknown unit of duration: [${unit}].`);
  return toDuration(magnitude * nanos);
}
