import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PERIODS, seasonAt, slotOf } from "./periods.ts";

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
