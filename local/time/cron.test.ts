import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextAfter, readSchedule, type Schedule } from "./cron.ts";
import { ScheduleError } from "./schedule-error.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** The next `count` times behind a time, in UTC to the minute. */
function times(text: string, from: string, { zone, count = 4 }: { zone?: string; count?: number } = {}): string[] {
  const schedule = readSchedule(text, zone);
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count && at !== undefined) {
    at = nextAfter(schedule, at);
    if (at !== undefined) found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

function refusal(text: string, zone?: string): ScheduleError {
  try {
    readSchedule(text, zone);
  } catch (error) {
    if (error instanceof ScheduleError) return error;
    throw error;
  }
  throw new Error(`${text} is taken`);
}

describe("a crontab schedule", () => {
  test("is due at its times in its time zone, UTC if it names none", () => {
    expect(times("30 9 * * MON-FRI", "2026-01-02T12:00:00Z", { count: 2 })).toEqual([
      "2026-01-05T09:30",
      "2026-01-06T09:30",
    ]);
    expect(times("5 11 * * *", "2026-01-01T00:00:00Z", { zone: "America/New_York", count: 1 })).toEqual([
      "2026-01-01T16:05",
    ]);
  });

  test("with days of the month and of the week is due on either", () => {
    expect(times("0 0 1 * SAT", "2026-01-25T00:00:00Z")).toEqual([
      "2026-01-31T00:00",
      "2026-02-01T00:00",
      "2026-02-07T00:00",
      "2026-02-14T00:00",
    ]);
  });

  test("takes Sunday as 0, as 7 and at the end of a range", () => {
    for (const sunday of ["0", "7", "SUN", "sun"]) {
      expect(times(`0 0 * * ${sunday}`, "2026-01-01T00:00:00Z", { count: 1 })).toEqual(["2026-01-04T00:00"]);
    }
    expect(times("0 0 * * SAT-SUN", "2026-01-01T00:00:00Z", { count: 3 })).toEqual([
      "2026-01-03T00:00",
      "2026-01-04T00:00",
      "2026-01-10T00:00",
    ]);
  });

  test("that never comes is never due", () => {
    expect(times("0 0 30 2 *", "2026-01-01T00:00:00Z")).toEqual([]);
    expect(times("0 0 29 2 *", "2026-01-01T00:00:00Z", { count: 1 })).toEqual(["2028-02-29T00:00"]);
  });

  test("at a time that summer time leaves out is due once, when the clocks have changed", () => {
    expect(times("30 2 * * *", "2026-03-28T00:00:00Z", { zone: "Europe/Berlin", count: 3 })).toEqual([
      "2026-03-28T01:30",
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
  });

  test("at a time that comes twice in autumn is due once, the first time", () => {
    expect(times("30 2 * * *", "2026-10-24T12:00:00Z", { zone: "Europe/Berlin", count: 2 })).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
  });

  test("of every half hour goes on through both hours in autumn", () => {
    expect(times("*/30 * * * *", "2026-10-25T00:00:00Z", { zone: "Europe/Berlin" })).toEqual([
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00",
    ]);
  });

  test("is refused by the field that is wrong", () => {
    expect(refusal("60 * * * *")).toMatchObject({ part: "minute", message: expect.stringContaining("0 to 59") });
    expect(refusal("0 24 * * *").part).toBe("hour");
    expect(refusal("0 0 L * *").part).toBe("day of the month");
    expect(refusal("0 0 1 13 *").part).toBe("month");
    expect(refusal("0 0 * * MON#2").part).toBe("day of the week");
    expect(refusal("5/10 * * * *").message).toContain("a step follows * or a range");
    expect(refusal("*/0 * * * *").part).toBe("minute");
    expect(refusal("10-5 * * * *").message).toContain("upwards");
    expect(refusal("1,,2 * * * *").part).toBe("minute");
    expect(refusal("* * * *").part).toBe("schedule");
    expect(refusal("* * * * * *").part).toBe("schedule");
    expect(refusal("").part).toBe("schedule");
  });

  test("is refused with a time zone that the tz database does not know", () => {
    expect(refusal("* * * * *", "Mars/Olympus").part).toBe("timeZone");
    expect(refusal("* * * * *", "+02:00").part).toBe("timeZone");
    expect(refusal("* * * * *", "").part).toBe("timeZone");
  });
});

describe("an English schedule", () => {
  test("of an interval is due so long after the time before, on whole minutes", () => {
    expect(times("every 5 minutes", "2026-01-01T10:07:30Z", { count: 3 })).toEqual([
      "2026-01-01T10:12",
      "2026-01-01T10:17",
      "2026-01-01T10:22",
    ]);
    expect(times("every 36 hours", "2026-01-01T00:00:00Z", { count: 2 })).toEqual([
      "2026-01-02T12:00",
      "2026-01-04T00:00",
    ]);
  });

  test("that is synchronized counts from midnight in its time zone", () => {
    expect(times("every 10 minutes synchronized", "2026-01-01T10:07:30Z", { count: 2 })).toEqual([
      "2026-01-01T10:10",
      "2026-01-01T10:20",
    ]);
    expect(times("every 8 hours synchronized", "2026-01-01T00:00:00Z", { zone: "Asia/Kolkata" })).toEqual([
      "2026-01-01T02:30",
      "2026-01-01T10:30",
      "2026-01-01T18:30",
      "2026-01-02T02:30",
    ]);
  });

  test("with hours counts from the first, up to and including the last", () => {
    expect(times("every 4 hours from 09:00 to 17:00", "2026-01-01T09:00:00Z")).toEqual([
      "2026-01-01T13:00",
      "2026-01-01T17:00",
      "2026-01-02T09:00",
      "2026-01-02T13:00",
    ]);
    expect(times("every 24 hours from 09:00 to 17:00", "2026-01-01T12:00:00Z", { count: 2 })).toEqual([
      "2026-01-02T09:00",
      "2026-01-03T09:00",
    ]);
  });

  test("with hours can reach over midnight", () => {
    expect(times("every 90 mins from 22:00 to 01:30", "2026-01-01T12:00:00Z")).toEqual([
      "2026-01-01T22:00",
      "2026-01-01T23:30",
      "2026-01-02T01:00",
      "2026-01-02T22:00",
    ]);
  });

  test("of days is due at its time of day", () => {
    expect(times("every day 00:00", "2026-01-01T00:00:00Z", { count: 2 })).toEqual([
      "2026-01-02T00:00",
      "2026-01-03T00:00",
    ]);
    expect(times("every monday,wednesday 09:00", "2026-01-01T00:00:00Z", { count: 3 })).toEqual([
      "2026-01-05T09:00",
      "2026-01-07T09:00",
      "2026-01-12T09:00",
    ]);
    expect(times("every fri of jun 7:05", "2026-01-01T00:00:00Z", { count: 1 })).toEqual(["2026-06-05T07:05"]);
  });

  test("of ordinals is due on those weekdays of the month", () => {
    expect(times("1st,third monday of month 09:00", "2026-01-01T00:00:00Z")).toEqual([
      "2026-01-05T09:00",
      "2026-01-19T09:00",
      "2026-02-02T09:00",
      "2026-02-16T09:00",
    ]);
    expect(times("2nd,4th tuesday of jan,apr 10:00", "2026-01-01T00:00:00Z")).toEqual([
      "2026-01-13T10:00",
      "2026-01-27T10:00",
      "2026-04-14T10:00",
      "2026-04-28T10:00",
    ]);
    expect(times("5th sun 12:00", "2026-01-01T00:00:00Z", { count: 2 })).toEqual([
      "2026-03-29T12:00",
      "2026-05-31T12:00",
    ]);
  });

  test("of days of the month and of quarters is due on those", () => {
    expect(times("1,15 of quarter 00:30", "2026-01-01T00:30:00Z", { count: 2 })).toEqual([
      "2026-01-15T00:30",
      "2026-04-01T00:30",
    ]);
    expect(times("first day of 2nd month of quarter 12:00", "2026-01-01T00:00:00Z", { count: 2 })).toEqual([
      "2026-02-01T12:00",
      "2026-05-01T12:00",
    ]);
  });

  test("at a time that summer time leaves out is due when the clocks have changed", () => {
    expect(times("every sunday 02:30", "2026-03-28T00:00:00Z", { zone: "Europe/Berlin", count: 1 })).toEqual([
      "2026-03-29T01:00",
    ]);
  });

  test("is refused by the word that is wrong", () => {
    expect(refusal("every 1 hour")).toMatchObject({ part: "hour", message: expect.stringContaining("'hours'") });
    expect(refusal("every 0 minutes").part).toBe("0");
    expect(refusal("every 7 hours synchronized").part).toBe("synchronized");
    expect(refusal("every 5 minutes from 9 to 10").part).toBe("9");
    expect(refusal("every moonday 09:00").part).toBe("moonday");
    expect(refusal("every monday").message).toContain("a time of day");
    expect(refusal("every monday 24:00").part).toBe("24:00");
    expect(refusal("32 of month 00:00").part).toBe("32");
    expect(refusal("1 of month,jan 00:00").part).toBe(",");
    expect(refusal("6th monday of month 00:00").part).toBe("6th");
    expect(refusal("4th month of quarter 00:00").part).toBe("month");
    expect(refusal("every day 09:00 please").part).toBe("please");
    expect(refusal(`every ${"monday,".repeat(200)}monday 09:00`).part).toBe("schedule");
  });
});

/** A field of a crontab expression with the numbers it stands for, taken apart by other means than the code's. */
function field(low: number, high: number): fc.Arbitrary<{ text: string; holds: (value: number) => boolean }> {
  const number = fc.integer({ min: low, max: high });
  const range = fc.tuple(number, number).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const step = fc.integer({ min: 1, max: high - low });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({ text: "*", holds: () => true }) },
    fc.uniqueArray(number, { minLength: 1, maxLength: 4 }).map((list) => ({
      text: list.join(","),
      holds: (value: number) => list.includes(value),
    })),
    range.map(([a, b]) => ({ text: `${a}-${b}`, holds: (value: number) => value >= a && value <= b })),
    fc.tuple(range, step).map(([[a, b], by]) => ({
      text: `${a}-${b}/${by}`,
      holds: (value: number) => value >= a && value <= b && (value - a) % by === 0,
    })),
  );
}

const crontab = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6));

const schedules: fc.Arbitrary<string> = fc.oneof(
  crontab.map((fields) => fields.map(({ text }) => text).join(" ")),
  fc
    .tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom("minutes", "mins", "hours"))
    .map(([n, unit]) => `every ${n} ${unit}`),
  fc.constantFrom(
    "every 10 minutes synchronized",
    "every 6 hours synchronized",
    "every 25 mins from 01:10 to 03:20",
    "every 2 hours from 22:00 to 04:00",
    "every day 02:30",
    "1st,3rd sunday of month 01:59",
    "every sat,sun of mar,oct 02:00",
  ),
);
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata");
const moment = fc.integer({ min: Date.parse("2024-01-01"), max: Date.parse("2030-01-01") });
/** Around the changes of the clocks of all these zones in spring and autumn. */
const nearChange = fc
  .tuple(
    fc.constantFrom("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"),
    fc.integer({ min: -DAY, max: 2 * DAY }),
  )
  .map(([date, offset]) => Date.parse(date) + offset);

describe("the next time", () => {
  test("lies strictly behind the given one, on a whole minute, and nothing lies between, across changes of the clocks too", () => {
    fc.assert(
      fc.property(schedules, zones, fc.oneof(moment, nearChange), (text, zone, from) => {
        const schedule = readSchedule(text, zone);
        const next = nextAfter(schedule, from);
        if (next === undefined) return;
        expect(next).toBeGreaterThan(from);
        expect(next % MINUTE).toBe(0);
        if (schedule.kind === "interval") return;
        const between = from + Math.floor((next - from) / 2);
        expect(nextAfter(schedule, between)).toBe(between < next ? next : nextAfter(schedule, next));
        expect(nextAfter(schedule, next - 1)).toBe(next);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is the one that trying every minute finds", () => {
    fc.assert(
      fc.property(crontab, moment, (fields, start) => {
        const schedule = readSchedule(fields.map(({ text }) => text).join(" "));
        const end = start + 3 * DAY;
        expect(stepped(schedule, start, end)).toEqual(tried(fields, start, end));
      }),
      { numRuns: 150 },
    );
  });
});

function stepped(schedule: Schedule, start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = nextAfter(schedule, start); at !== undefined && at <= end; at = nextAfter(schedule, at)) found.push(at);
  return found;
}

function tried(fields: readonly { text: string; holds: (value: number) => boolean }[], start: number, end: number) {
  const [minute, hour, monthday, month, weekday] = fields as [
    (typeof fields)[0],
    (typeof fields)[0],
    (typeof fields)[0],
    (typeof fields)[0],
    (typeof fields)[0],
  ];
  const isEitherDay = monthday.text !== "*" && weekday.text !== "*";
  const found: number[] = [];
  for (let at = (Math.floor(start / MINUTE) + 1) * MINUTE; at <= end; at += MINUTE) {
    const date = new Date(at);
    const [onMonthday, onWeekday] = [monthday.holds(date.getUTCDate()), weekday.holds(date.getUTCDay())];
    const isDay = isEitherDay ? onMonthday || onWeekday : onMonthday && onWeekday;
    const isTime = minute.holds(date.getUTCMinutes()) && hour.holds(date.getUTCHours());
    if (isDay && isTime && month.holds(date.getUTCMonth() + 1)) found.push(at);
  }
  return found;
}
