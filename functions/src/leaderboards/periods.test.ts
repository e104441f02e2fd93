import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Calendar, type Ending, type PERIODS, seasonAt, seasonNumbered, slotOf } from "./periods.ts";

const at = (iso: string) => Date.parse(iso);
const key = (period: (typeof PERIODS)[number], iso: string, zone = "Etc/UTC") =>
  seasonAt(period, at(iso), { timeZone: zone }).key;

describe("a season", () => {
  test("follows the calendar of the board's time zone", () => {
    expect(key("daily", "2026-11-20T23:30:00Z")).toBe("2026-11-20");
    expect(key("daily", "2026-11-20T23:30:00Z", "Europe/Berlin")).toBe("2026-11-21");
    expect(key("daily", "2026-11-20T03:30:00Z", "America/New_York")).toBe("2026-11-19");
    expect(key("monthly", "2026-12-31T12:00:00Z", "Pacific/Kiritimati")).toBe("2027-01");
    expect(key("allTime", "2026-12-31T12:00:00Z")).toBe("all");
  });

  test.each([
    ["2021-01-03", "2020-W53"],
    ["2021-01-04", "2021-W01"],
    ["2024-12-29", "2024-W52"],
    ["2024-12-30", "2025-W01"],
    ["2026-01-01", "2026-W01"],
    ["2026-11-20", "2026-W47"],
    ["2027-01-03", "2026-W53"],
    ["1969-12-29", "1970-W01"],
  ])("of the week of %s is %s, as ISO 8601 has it", (day, week) => {
    expect(key("weekly", `${day}T12:00:00Z`)).toBe(week);
  });

  test("changes at local midnight when clocks go forward and back, and not a second earlier", () => {
    for (const [before, after] of [
      ["2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00Z"],
      ["2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z"],
      ["2026-10-24T21:59:59.999Z", "2026-10-24T22:00:00Z"],
      ["2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z"],
      ["2028-02-28T22:59:59.999Z", "2028-02-28T23:00:00Z"],
    ] as const) {
      const [last, first] = [
        seasonAt("daily", at(before), { timeZone: "Europe/Berlin" }),
        seasonAt("daily", at(after), { timeZone: "Europe/Berlin" }),
      ];
      expect(first.number).toBe(last.number + 1);
    }
  });

  test("and the next are numbered one after the other and kept in different slots, in every zone", () => {
    const moment = fc.integer({ min: at("1971-01-01T00:00:00Z"), max: at("2200-01-01T00:00:00Z") });
    const zone = fc.constantFrom(
      "Etc/UTC",
      "Europe/Berlin",
      "America/St_Johns",
      "Asia/Kolkata",
      "Pacific/Apia",
      "Africa/Casablanca",
    );
    fc.assert(
      fc.property(moment, zone, (millis, timeZone) => {
        for (const [period, hours] of [
          ["daily", 24],
          ["weekly", 7 * 24],
          ["monthly", 31 * 24],
        ] as const) {
          const now = seasonAt(period, millis, { timeZone });
          const later = seasonAt(period, millis + hours * 3_600_000, { timeZone });
          expect(later.number - now.number).toBeGreaterThanOrEqual(0);
          expect(later.number - now.number).toBeLessThanOrEqual(2);
          expect(later.key === now.key).toBe(later.number === now.number);
          if (later.number === now.number + 1) expect(slotOf(period, later)).not.toBe(slotOf(period, now));
        }
      }),
    );
  });
});

describe("every moment", () => {
  const ANCHOR = at("2026-01-15T09:30:00Z");
  const zone = fc.constantFrom(
    "Etc/UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Sao_Paulo",
  );
  const calendar: fc.Arbitrary<Calendar> = fc.record({
    timeZone: zone,
    weekStartsOn: fc.integer({ min: 0, max: 6 }),
    cron: fc.constantFrom("0 18 * * 5", "30 2 * * *", "0 0 29 2 *", "0 0 1 * *", "15 */6 * * *"),
    anchor: fc.constant(ANCHOR),
  });
  const period = fc.constantFrom<Ending>("daily", "weekly", "monthly", "custom");
  // Clocks go forward and back in it, in both hemispheres, and it has a 29 February.
  const moment = fc.integer({ min: ANCHOR, max: at("2028-06-01T00:00:00Z") });

  test("lies in exactly one season, and each begins the moment that the one before it ends", () => {
    fc.assert(
      fc.property(period, calendar, moment, (of, by, millis) => {
        const season = seasonAt(of, millis, by);
        expect(season.startsAt).toBeLessThanOrEqual(millis);
        expect(season.endsAt).toBeGreaterThan(millis);
        const next = seasonNumbered(of, season.number + 1, by);
        expect(next.startsAt).toBe(season.endsAt);
        expect(next.key > season.key).toBe(true);
        expect(seasonAt(of, season.endsAt, by)).toEqual(next);
        expect(seasonAt(of, season.endsAt - 1, by)).toEqual(season);
        expect(seasonNumbered(of, season.number, by)).toEqual(season);
      }),
    );
  });

  test("lies before, in or after a tournament", () => {
    const tournament = { startsAt: at("2026-11-20T18:00:00Z"), endsAt: at("2026-11-20T20:00:00Z") };
    const number = (iso: string) => seasonAt("custom", at(iso), { timeZone: "Etc/UTC", tournament }).number;
    expect(
      ["17:59:59.999", "18:00:00.000", "19:59:59.999", "20:00:00.000"].map((time) => number(`2026-11-20T${time}Z`)),
    ).toEqual([-1, 0, 0, 1]);
  });
});

describe("a week", () => {
  test("begins on the day that the board says", () => {
    for (const weekStartsOn of [0, 1, 2, 3, 4, 5, 6]) {
      const { startsAt } = seasonAt("weekly", at("2026-11-20T12:00:00Z"), { timeZone: "Etc/UTC", weekStartsOn });
      expect(new Date(startsAt).getUTCDay()).toBe(weekStartsOn);
    }
  });
});

describe("a day on which clocks change", () => {
  test("has 23 or 25 hours, and a leap year's February 29 days", () => {
    const hours = (of: Ending, iso: string) => {
      const { startsAt, endsAt } = seasonAt(of, at(iso), { timeZone: "Europe/Berlin" });
      return (endsAt - startsAt) / 3_600_000;
    };
    expect(hours("daily", "2026-03-29T12:00:00Z")).toBe(23);
    expect(hours("daily", "2026-10-25T12:00:00Z")).toBe(25);
    expect(hours("monthly", "2028-02-10T12:00:00Z")).toBe(29 * 24);
    expect(hours("monthly", "2026-02-10T12:00:00Z")).toBe(28 * 24);
  });
});
