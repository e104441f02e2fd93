import * as z from "zod";

/**
 * How often something happened in the last hour, day and week, in a bounded number of counters. A window that begins inside a counter's
 * time counts all of it, so that nothing is ever undercounted.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** By window: how long it is and how long each of its counters lasts. */
const WINDOWS = {
  hour: { length: HOUR, step: 5 * MINUTE },
  day: { length: DAY, step: HOUR },
  week: { length: 7 * DAY, step: DAY },
} as const;
type WindowName = keyof typeof WINDOWS;
const NAMES = Object.keys(WINDOWS) as WindowName[];

/** By when the counter begins, in milliseconds since the epoch. */
const Counters = z.record(z.string(), z.int().positive());

export const Windows = z.object({ hour: Counters, day: Counters, week: Counters });
export type Windows = z.infer<typeof Windows>;

export type Counts = Readonly<Record<WindowName, number>>;

export const NONE: Windows = { hour: {}, day: {}, week: {} };

/** One more at a time. Counters that lie outside of every window that ends now or later are dropped. */
export function withOne(windows: Windows, at: number): Windows {
  const next = (name: WindowName) => {
    const { length, step } = WINDOWS[name];
    const begin = String(Math.floor(at / step) * step);
    const counters = { ...windows[name], [begin]: (windows[name][begin] ?? 0) + 1 };
    const newest = Math.max(...Object.keys(counters).map(Number));
    return Object.fromEntries(Object.entries(counters).filter(([start]) => Number(start) > newest - length - step));
  };
  return { hour: next("hour"), day: next("day"), week: next("week") };
}

/** How many there were in the windows that end at a time. */
export function countsAt(windows: Windows, at: number): Counts {
  const count = (name: WindowName) => {
    const { length, step } = WINDOWS[name];
    return Object.entries(windows[name])
      .filter(([start]) => Number(start) <= at && Number(start) + step > at - length)
      .reduce((sum, [, number]) => sum + number, 0);
  };
  const [hour = 0, day = 0, week = 0] = NAMES.map(count);
  return { hour, day, week };
}
