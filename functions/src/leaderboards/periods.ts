import { Cron } from "croner";
import { LRUCache } from "lru-cache";
import { firstMomentOf, localDay } from "./calendar.ts";
import type { SlotName } from "./records.ts";

/** The periods that a board can rank. `custom` goes by the board's cron expression, `rolling` over its last days; that and `allTime` never end. */
export const PERIODS = ["daily", "weekly", "monthly", "allTime", "custom", "rolling"] as const;
export type Period = (typeof PERIODS)[number];

/** One run of a period: a day, a week, a month, or for ever. */
export interface Season {
  /** Names it for people and in keys: `2026-11-20`, `2026-W47`, `2026-11`, `all`, `rolling`, and of a cron `2026-11-20T18:00Z`. */
  readonly key: string;
  /** Counts on by one from season to season; the slot that keeps its scores is this modulo 2. */
  readonly number: number;
  /** Milliseconds since the epoch; what never ends has begun at −∞ and ends at +∞. */
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What of a board says when its seasons begin and end. */
export interface Calendar {
  readonly timeZone: string;
  /** 0 is Sunday. Monday unless said otherwise, and then weeks are named as in ISO 8601. */
  readonly weekStartsOn?: number | undefined;
  readonly cron?: string | undefined;
  /** The moment from which the seasons of a cron are counted, in milliseconds since the epoch. */
  readonly anchor?: number | undefined;
}

const MONDAY = 1;
/** 1 January 1970 was a Thursday. */
const EPOCH_WEEKDAY = 4;
const THURSDAY_OF_ISO = 3;
const DAY_MILLIS = 86_400_000;
const MAX_REMEMBERED = 500;
/** The seasons of a cron that are counted one by one; thousands take a fraction of a second, once in an instance. */
const MAX_COUNTED = 20_000;

const ALL: Season = {
  key: "all",
  number: 0,
  startsAt: Number.NEGATIVE_INFINITY,
  endsAt: Number.POSITIVE_INFINITY,
};

/** What was worked out last for a calendar and a period: mostly it is the same season still. */
const remembered = new LRUCache<string, Season>({ max: MAX_REMEMBERED });

/** The season of a period that a moment falls into. @param millis since the epoch */
export function seasonAt(period: Period, millis: number, calendar: Calendar): Season {
  if (period === "allTime") return ALL;
  if (period === "rolling") return { ...ALL, key: "rolling" };
  const { timeZone, weekStartsOn = MONDAY, cron = "", anchor = 0 } = calendar;
  const key = `${period} ${timeZone} ${weekStartsOn} ${cron} ${anchor}`;
  const known = remembered.get(key);
  if (known && known.startsAt <= millis && millis < known.endsAt) return known;
  const season = workedOut(period, millis, calendar);
  remembered.set(key, season);
  return season;
}

function workedOut(period: "daily" | "weekly" | "monthly" | "custom", millis: number, calendar: Calendar): Season {
  const { timeZone, weekStartsOn = MONDAY } = calendar;
  switch (period) {
    case "daily": {
      const number = localDay(timeZone, millis);
      return between(timeZone, { key: isoDay(number), number, from: number, to: number + 1 });
    }
    case "weekly": {
      const number = Math.floor((localDay(timeZone, millis) + EPOCH_WEEKDAY - weekStartsOn) / 7);
      const from = number * 7 - EPOCH_WEEKDAY + weekStartsOn;
      const key = weekStartsOn === MONDAY ? isoWeek(from) : `week-${isoDay(from)}`;
      return between(timeZone, { key, number, from, to: from + 7 });
    }
    case "monthly": {
      const date = new Date(localDay(timeZone, millis) * DAY_MILLIS);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      const [from, to] = [Date.UTC(year, month) / DAY_MILLIS, Date.UTC(year, month + 1) / DAY_MILLIS];
      return between(timeZone, { key: isoDay(from).slice(0, -3), number: year * 12 + month, from, to });
    }
    case "custom":
      return ofCron(millis, calendar);
  }
}

/** The season before this one; of a cron's first, itself. */
function seasonBefore(period: Period, season: Season, calendar: Calendar): Season {
  return Number.isFinite(season.startsAt) ? seasonAt(period, season.startsAt - 1, calendar) : season;
}

/** The season that has a name, if a period has one such near a moment: that of the moment, or one of those before it. */
export function seasonNamed(
  period: Period,
  key: string,
  { near, ...calendar }: Calendar & { near: number },
): Season | undefined {
  let season = seasonAt(period, near, calendar);
  for (let i = 0; i < MAX_LOOKED_BACK; i++) {
    if (season.key === key) return season;
    if (!Number.isFinite(season.startsAt)) return undefined;
    season = seasonBefore(period, season, calendar);
  }
  return undefined;
}

const MAX_LOOKED_BACK = 3;

/** The field of a player's document that keeps the scores of a season: two for each period, used in turn. */
export function slotOf(period: Period, { number }: Season): SlotName {
  const [even, odd] = SLOTS[period];
  return number % 2 === 0 ? even : odd;
}

const SLOTS: Record<Period, readonly [even: SlotName, odd: SlotName]> = {
  daily: ["d0", "d1"],
  weekly: ["w0", "w1"],
  monthly: ["m0", "m1"],
  allTime: ["a0", "a1"],
  custom: ["c0", "c1"],
  rolling: ["r0", "r1"],
};

/** A season of whole days, by their numbers: from the first moment of one to the first of another. */
function between(
  timeZone: string,
  { key, number, from, to }: { key: string; number: number; from: number; to: number },
): Season {
  return { key, number, startsAt: firstMomentOf(timeZone, from), endsAt: firstMomentOf(timeZone, to) };
}

/** @param day as the number of days since 1 January 1970; as 2026-01-31 */
export function isoDay(day: number): string {
  return new Date(day * DAY_MILLIS).toISOString().slice(0, 10);
}

/** A week belongs to the year that its Thursday lies in. */
function isoWeek(monday: number): string {
  const thursday = new Date((monday + THURSDAY_OF_ISO) * DAY_MILLIS);
  const year = thursday.getUTCFullYear();
  const weekOfYear = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MILLIS / 7) + 1;
  return `${year}-W${String(weekOfYear).padStart(2, "0")}`;
}

interface Counted {
  readonly cron: Cron;
  /** Where seasons begin, in milliseconds; the first is the anchor. */
  readonly starts: number[];
}

const counted = new LRUCache<string, Counted>({ max: 100 });

/** What lies before the anchor belongs to the first season. */
function ofCron(millis: number, { timeZone, cron: pattern = "", anchor = 0 }: Calendar): Season {
  const key = `${pattern} ${timeZone} ${anchor}`;
  const known = counted.get(key) ?? { cron: new Cron(pattern, { timezone: timeZone }), starts: [anchor] };
  counted.set(key, known);
  const { cron, starts } = known;
  while ((starts.at(-1) ?? anchor) <= millis) {
    const next = cron.nextRun(new Date(starts.at(-1) ?? anchor));
    if (!next || starts.length > MAX_COUNTED) {
      throw new Error(`the seasons of ${pattern} cannot be counted from ${new Date(anchor).toISOString()}`);
    }
    starts.push(next.getTime());
  }
  const number = Math.max(
    0,
    starts.findLastIndex((start) => start <= millis),
  );
  const [startsAt = anchor, endsAt = anchor] = starts.slice(number, number + 2);
  return { key: `${new Date(startsAt).toISOString().slice(0, 16)}Z`, number, startsAt, endsAt };
}
