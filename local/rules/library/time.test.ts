import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RulesDuration, RulesTimestamp, type RulesValue } from "../value.ts";
import { refusal, testFunctions, testMethods, testOperators } from "./cases.ts";
import { callFunction } from "./functions.ts";
import { callMethod } from "./methods.ts";
import { binary } from "./operators.ts";

/** 2025-06-15T13:45:30.250Z, a Sunday. */
const SUNDAY = new RulesTimestamp(1_749_995_130, 250_000_000);
/** 2000-02-29T00:00:00Z, a Tuesday. */
const LEAP = new RulesTimestamp(951_782_400);
/** 1969-12-31T23:59:58.500Z, a Wednesday. */
const BEFORE_EPOCH = new RulesTimestamp(-2, 500_000_000);
/** 0001-01-01T00:00:00Z and the last nanosecond of 9999. */
const FIRST = new RulesTimestamp(-62_135_596_800);
const LAST = new RulesTimestamp(253_402_300_799, 999_999_999);
/** 2024-12-31T00:00:00Z, a Tuesday, and the last second of that year. */
const LAST_OF_2024 = new RulesTimestamp(1_735_689_599);

describe("timestamps", () => {
  testMethods([
    [SUNDAY, "year", [], 2025n],
    [SUNDAY, "month", [], 6n],
    [SUNDAY, "day", [], 15n],
    [SUNDAY, "hours", [], 13n],
    [SUNDAY, "minutes", [], 45n],
    [SUNDAY, "seconds", [], 30n],
    [SUNDAY, "nanos", [], 250_000_000n],
    [SUNDAY, "toMillis", [], 1_749_995_130_250n],
    [SUNDAY, "dayOfWeek", [], 7n],
    [SUNDAY, "dayOfYear", [], 166n],
    [SUNDAY, "date", [], new RulesTimestamp(1_749_945_600)],
    [SUNDAY, "time", [], new RulesDuration(49_530, 250_000_000)],
    [LEAP, "dayOfWeek", [], 2n],
    [LEAP, "dayOfYear", [], 60n],
    [LEAP, "time", [], new RulesDuration(0)],
    [LAST_OF_2024, "dayOfYear", [], 366n],
    [LAST_OF_2024, "dayOfWeek", [], 2n],
    [LAST_OF_2024, "date", [], new RulesTimestamp(1_735_603_200)],
    [BEFORE_EPOCH, "year", [], 1969n],
    [BEFORE_EPOCH, "dayOfYear", [], 365n],
    [BEFORE_EPOCH, "dayOfWeek", [], 3n],
    [BEFORE_EPOCH, "seconds", [], 58n],
    [BEFORE_EPOCH, "nanos", [], 500_000_000n],
    [BEFORE_EPOCH, "toMillis", [], -1_500n],
    [BEFORE_EPOCH, "date", [], new RulesTimestamp(-86_400)],
    [BEFORE_EPOCH, "time", [], new RulesDuration(86_398, 500_000_000)],
    [FIRST, "year", [], 1n],
    [FIRST, "dayOfWeek", [], 1n],
    [LAST, "year", [], 9999n],
    [LAST, "month", [], 12n],
    [LAST, "toMillis", [], 253_402_300_799_999n],
    [SUNDAY, "year", [1n], refusal("Incorrect number of arguments. Received: 1. Expected: timestamp.year().")],
    [SUNDAY, "years", [], refusal("Function not found error: Name: [years].")],
    [10n, "hours", [], refusal("Function not found error: Name: [hours].")],
  ]);

  testFunctions([
    ["timestamp.date", [1984n, 1n, 2n], new RulesTimestamp(441_849_600)],
    ["timestamp.date", [2000n, 2n, 29n], LEAP],
    ["timestamp.date", [1970n, 1n, 1n], new RulesTimestamp(0)],
    ["timestamp.date", [1n, 1n, 1n], FIRST],
    ["timestamp.date", [2001n, 2n, 29n], refusal("Invalid date: 2001-2-29.")],
    ["timestamp.date", [2001n, 13n, 1n], refusal("Invalid date")],
    ["timestamp.date", [2001n, 1n, 0n], refusal("Invalid date")],
    ["timestamp.date", [0n, 1n, 1n], refusal("Invalid date")],
    ["timestamp.date", [10_000n, 1n, 1n], refusal("Invalid date")],
    ["timestamp.date", [2001, 1n, 1n], refusal("Received: timestamp.date(float, int, int)")],
    ["timestamp.date", [2001n, 1n], refusal("Incorrect number of arguments")],
    ["timestamp.value", [0n], new RulesTimestamp(0)],
    ["timestamp.value", [1_749_995_130_250n], SUNDAY],
    ["timestamp.value", [-1_500n], BEFORE_EPOCH],
    ["timestamp.value", [2n ** 63n - 1n], refusal("Timestamp out of range.")],
    ["timestamp.value", ["0"], refusal("Received: timestamp.value(string). Expected: timestamp.value(int).")],
    ["timestamp.now", [], refusal("Function not found error: Name: [timestamp.now].")],
  ]);

  const anyTimestamp = fc
    .tuple(fc.integer({ min: FIRST.seconds, max: LAST.seconds }), fc.integer({ min: 0, max: 999_999_999 }))
    .map(([seconds, nanos]) => new RulesTimestamp(seconds, nanos));

  test("are put together again from their parts", () => {
    fc.assert(
      fc.property(anyTimestamp, (timestamp) => {
        const part = (name: string): RulesValue => callMethod(timestamp, name, []);
        const date = callFunction("timestamp", "date", [part("year"), part("month"), part("day")]);
        const time = callFunction("duration", "time", [part("hours"), part("minutes"), part("seconds"), part("nanos")]);
        expect(date).toEqual(part("date"));
        expect(time).toEqual(part("time"));
        expect(binary("+", date, time)).toEqual(timestamp);
        expect(binary("-", timestamp, date)).toEqual(time);
      }),
    );
  });

  test("count their days from the beginning of the week and of the year", () => {
    fc.assert(
      fc.property(anyTimestamp, (timestamp) => {
        fc.pre(timestamp.seconds < LAST.seconds - 86_400);
        const next = binary("+", timestamp, new RulesDuration(86_400));
        const day = (value: RulesValue, name: string) => callMethod(value, name, []) as bigint;
        expect(day(next, "dayOfWeek")).toBe((day(timestamp, "dayOfWeek") % 7n) + 1n);
        const nextYear = day(next, "year") !== day(timestamp, "year");
        expect(day(next, "dayOfYear")).toBe(nextYear ? 1n : day(timestamp, "dayOfYear") + 1n);
      }),
    );
  });
});

const HOUR = new RulesDuration(3_600);
const MINUS_SECOND_AND_A_HALF = new RulesDuration(-1, -500_000_000);

describe("durations", () => {
  testFunctions([
    ["duration.value", [1n, "w"], new RulesDuration(604_800)],
    ["duration.value", [2n, "d"], new RulesDuration(172_800)],
    ["duration.value", [1n, "h"], HOUR],
    ["duration.value", [90n, "m"], new RulesDuration(5_400)],
    ["duration.value", [7n, "s"], new RulesDuration(7)],
    ["duration.value", [1_500n, "ms"], new RulesDuration(1, 500_000_000)],
    ["duration.value", [-1_500n, "ms"], MINUS_SECOND_AND_A_HALF],
    ["duration.value", [1n, "ns"], new RulesDuration(0, 1)],
    ["duration.value", [1n, "y"], refusal("Unknown unit of duration: [y].")],
    ["duration.value", [1.5, "h"], refusal("Received: duration.value(float, string)")],
    ["duration.value", [2n ** 62n, "w"], refusal("Duration out of range.")],
    ["duration.time", [1n, 30n, 0n, 5n], new RulesDuration(5_400, 5)],
    ["duration.time", [13n, 45n, 30n, 250_000_000n], new RulesDuration(49_530, 250_000_000)],
    ["duration.time", [0n, 0n, 0n, -1n], new RulesDuration(0, -1)],
    ["duration.time", [0n, 0n, 0n, 1_000_000_001n], new RulesDuration(1, 1)],
    ["duration.time", [1n, 0n, 0n], refusal("Incorrect number of arguments. Received: 3.")],
    ["duration.abs", [new RulesDuration(-10)], new RulesDuration(10)],
    ["duration.abs", [MINUS_SECOND_AND_A_HALF], new RulesDuration(1, 500_000_000)],
    ["duration.abs", [HOUR], HOUR],
    ["duration.abs", [1n], refusal("Received: duration.abs(int). Expected: duration.abs(duration).")],
  ]);

  testMethods([
    [MINUS_SECOND_AND_A_HALF, "seconds", [], -1n],
    [MINUS_SECOND_AND_A_HALF, "nanos", [], -500_000_000n],
    [HOUR, "seconds", [], 3_600n],
    [HOUR, "nanos", [], 0n],
    [HOUR, "hours", [], refusal("Function not found error: Name: [hours].")],
  ]);
});

describe("arithmetic of time", () => {
  testOperators([
    [LEAP, "+", HOUR, new RulesTimestamp(951_786_000)],
    [HOUR, "+", LEAP, new RulesTimestamp(951_786_000)],
    [LEAP, "-", HOUR, new RulesTimestamp(951_778_800)],
    [new RulesTimestamp(60), "-", new RulesTimestamp(0), new RulesDuration(60)],
    [BEFORE_EPOCH, "-", new RulesTimestamp(0), MINUS_SECOND_AND_A_HALF],
    [new RulesTimestamp(0), "+", MINUS_SECOND_AND_A_HALF, BEFORE_EPOCH],
    [HOUR, "+", HOUR, new RulesDuration(7_200)],
    [HOUR, "-", new RulesDuration(3_599, 1), new RulesDuration(0, 999_999_999)],
    [LAST, "+", new RulesDuration(0, 1), refusal("Timestamp out of range.")],
    [new RulesDuration(315_576_000_000), "+", new RulesDuration(0, 1), refusal("Duration out of range.")],
    [LEAP, "+", LEAP, refusal("Received: timestamp + timestamp.")],
    [HOUR, "-", LEAP, refusal("Received: duration - timestamp.")],
    [LEAP, "+", 1_000n, refusal("Received: timestamp + int.")],
    [HOUR, "*", 2n, refusal("Received: duration * int.")],
    ["at ", "+", LEAP, refusal("Received: string + timestamp.")],
    [LEAP, "<", SUNDAY, true],
    [LEAP, ">=", LEAP, true],
    [BEFORE_EPOCH, "<", new RulesTimestamp(-1), true],
    [new RulesTimestamp(1, 1), ">", new RulesTimestamp(1), true],
    [HOUR, "<=", new RulesDuration(3_600, 1), true],
    [MINUS_SECOND_AND_A_HALF, "<", new RulesDuration(-1), true],
    [LEAP, "==", new RulesTimestamp(951_782_400), true],
    [LEAP, "!=", HOUR, true],
    [LEAP, "<", 0n, refusal("Received: timestamp < int.")],
    [LEAP, "<", HOUR, refusal("Received: timestamp < duration.")],
  ]);
});
