import { LRUCache } from "lru-cache";

/** Days by the calendar of a time zone, each a number: of days since 1 January 1970. */

const DAY_MILLIS = 86_400_000;
/** No zone is further from UTC. */
const MAX_OFFSET_MILLIS = 15 * 3_600_000;
const MAX_REMEMBERED = 1_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const beginnings = new LRUCache<string, number>({ max: MAX_REMEMBERED });

/** The day that a moment falls into. Where clocks that go back pass midnight twice, the new day has begun with the first time. */
export function localDay(timeZone: string, millis: number): number {
  const day = dayShown(timeZone, millis);
  return firstMomentOf(timeZone, day + 1) <= millis ? day + 1 : day;
}

/** When a day begins, in milliseconds since the epoch: mostly at midnight, but where clocks go forward over it, after it. */
export function firstMomentOf(timeZone: string, day: number): number {
  const key = `${timeZone} ${day}`;
  const known = beginnings.get(key);
  if (known !== undefined) return known;
  // The last moment of which it is sure that it lies before the day, and the first of which it is sure that it does not.
  let [before, after] = [day * DAY_MILLIS - MAX_OFFSET_MILLIS, day * DAY_MILLIS + MAX_OFFSET_MILLIS];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayShown(timeZone, middle) >= day) after = middle;
    else before = middle;
  }
  beginnings.set(key, after);
  return after;
}

/** The day that a calendar on the wall shows. */
function dayShown(timeZone: string, millis: number): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      year: "numeric",
      month: "numeric",
      day: "numeric",
      calendar: "iso8601",
    });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(millis).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.get("year") ?? 0, (parts.get("month") ?? 1) - 1, parts.get("day") ?? 0) / DAY_MILLIS;
}
