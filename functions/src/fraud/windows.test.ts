import * as fc from "fast-check";
import { expect, test } from "vitest";
import { countsAt, NONE, withOne } from "./windows.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

const seen = (times: readonly number[]) => times.reduce((windows, at) => withOne(windows, at), NONE);

test("counts what happened in the last hour, day and week", () => {
  const windows = seen([START, START + 100 * HOUR, START + 110 * HOUR, START + 110.5 * HOUR]);
  expect(countsAt(windows, START + 110.5 * HOUR)).toEqual({ hour: 2, day: 3, week: 4 });
  expect(countsAt(windows, START + 112 * HOUR)).toEqual({ hour: 0, day: 3, week: 4 });
  expect(countsAt(windows, START + 1_000 * HOUR)).toEqual({ hour: 0, day: 0, week: 0 });
});

test("takes the same room however much there was, and counts none too few of what comes in order", () => {
  const story = fc.array(fc.integer({ min: 0, max: 30 * HOUR }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(story, (gaps) => {
      const times: number[] = [];
      for (const gap of gaps) times.push((times.at(-1) ?? START) + gap);
      const windows = seen(times);
      const last = times.at(-1) ?? START;
      const within = (length: number) => times.filter((at) => at > last - length).length;
      const counts = countsAt(windows, last);
      expect(counts.hour).toBeGreaterThanOrEqual(within(HOUR));
      expect(counts.day).toBeGreaterThanOrEqual(within(24 * HOUR));
      expect(counts.week).toBeGreaterThanOrEqual(within(168 * HOUR));
      expect(Object.keys(windows.hour).length).toBeLessThanOrEqual(13);
      expect(Object.keys(windows.day).length).toBeLessThanOrEqual(25);
      expect(Object.keys(windows.week).length).toBeLessThanOrEqual(8);
    }),
  );
});
