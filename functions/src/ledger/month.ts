/** A calendar month in a time zone: from its first moment to just before the next one's, in milliseconds since the epoch. */
export interface Month {
  readonly from: number;
  readonly until: number;
}

/** The month of a name as 2026-11. Days have 23 to 25 hours, so a month begins where its zone's clocks say. */
export function monthIn(timeZone: string, name: string): Month {
  const [year = 0, month = 0] = name.split("-").map(Number);
  return { from: midnightIn(timeZone, year, month), until: midnightIn(timeZone, year, month + 1) };
}

/** Offsets that lie behind a change of the clocks are found by looking once more. */
const LOOKS = 2;

/** When the first day of a month begins. @param month from 1; 13 is January of the next year */
function midnightIn(timeZone: string, year: number, month: number): number {
  const local = Date.UTC(year, month - 1, 1);
  let moment = local;
  for (let look = 0; look < LOOKS; look++) moment = local - offsetAt(timeZone, moment);
  return moment;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the clocks of a time zone are ahead of UTC at a moment, in milliseconds. */
function offsetAt(timeZone: string, millis: number): number {
  const parts = partsIn(timeZone, millis);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(millis / 1_000) * 1_000;
}

/** A moment as clocks of a time zone show it: `2026-11-20 09:05:00`. */
export function clockIn(timeZone: string, millis: number): string {
  const [year, ...rest] = partsIn(timeZone, millis).map((part) => String(part).padStart(2, "0"));
  const [month, day, hour, minute, second] = rest;
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

const PARTS = ["year", "month", "day", "hour", "minute", "second"] as const;

function partsIn(timeZone: string, millis: number): number[] {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  const found = new Map(format.formatToParts(millis).map(({ type, value }) => [type, Number(value)]));
  return PARTS.map((part) => found.get(part) ?? 0);
}
