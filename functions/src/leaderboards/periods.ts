import type { SlotName } from "./records.ts";

/** The periods that a board ranks, each with the season that a moment falls into. */
export const PERIODS = ["daily", "weekly", "monthly", "allTime"] as const;
export type Period = (typeof PERIODS)[number];

/** One run of a period: a day, a week, a month, or for ever. */
export interface Season {
  /** Names it for people and in keys: `2026-11-20`, `2026-W47`, `2026-11`, `all`. */
  readonly key: string;
  /** Counts on by one from season to season; the slot that keeps its scores is this modulo 2. */
  readonly number: number;
}

const DAY_MILLIS = 86_400_000;
/** 1 January 1970 was a Thursday; weeks start on Mondays, as ISO 8601 has it. */
const EPOCH_TO_MONDAY_DAYS = 3;
const THURSDAY = 3;

/** The season of a period that a moment falls into, by the calendar of a time zone. @param millis since the epoch */
export function seasonAt(period: Period, millis: number, timeZone: string): Season {
  const { year, month, day } = dateIn(timeZone, millis);
  const dayNumber = Date.UTC(year, month - 1, day) / DAY_MILLIS;
  switch (period) {
    case "daily":
      return { key: `${year}-${two(month)}-${two(day)}`, number: dayNumber };
    case "weekly":
      return week(dayNumber);
    case "monthly":
      return { key: `${year}-${two(month)}`, number: year * 12 + month - 1 };
    case "allTime":
      return { key: "all", number: 0 };
  }
}

/** The field of a player's document that keeps the scores of a season: two for each period, used in turn. */
export function slotOf(period: Period, { number }: Season): SlotName {
  const [even, odd] = SLOTS[period];
  return number % 2 === 0 ? even : odd;
}

/** Whether a name is that of one of a period's slots. */
export function isSlotOf(period: Period, name: string): boolean {
  return SLOTS[period].some((slot) => slot === name);
}

const SLOTS: Record<Period, readonly [even: SlotName, odd: SlotName]> = {
  daily: ["d0", "d1"],
  weekly: ["w0", "w1"],
  monthly: ["m0", "m1"],
  allTime: ["a0", "a1"],
};

/** A week belongs to the year that its Thursday lies in. */
function week(dayNumber: number): Season {
  const number = Math.floor((dayNumber + EPOCH_TO_MONDAY_DAYS) / 7);
  const thursday = new Date((number * 7 - EPOCH_TO_MONDAY_DAYS + THURSDAY) * DAY_MILLIS);
  const year = thursday.getUTCFullYear();
  const weekOfYear = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MILLIS / 7) + 1;
  return { key: `${year}-W${two(weekOfYear)}`, number };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateIn(timeZone: string, millis: number): { year: number; month: number; day: number } {
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
  return { year: parts.get("year") ?? 0, month: parts.get("month") ?? 0, day: parts.get("day") ?? 0 };
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
