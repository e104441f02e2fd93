import { Cron } from "croner";
import { LRUCache } from "lru-cache";
import { firstMomentOf, localDay } from "./calendar.ts";
import type { SlotName } from "./records.ts";

/** The periods that a board can rank. `custom` goes by the board's cron expression, `rolling` over its last days; that and `allTime` never end. */
export const PERIODS = ["daily", "weekly", "monthly", "allTime", "custom", "rolling"] as const;
export type Period = (typeof PERIODS)[number];

/** Those of which one season follows another. */
export type Ending = Exclude<Period, "allTime" | "rolling">;

export function isEnding(period: Period): period is Ending {
  return period !== "allTime" && period !== "rolling";
}

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
  /** Instead of a cron, the one season that `custom` has. In milliseconds since the epoch. */
  readonly tournament?: { readonly startsAt: number; readonly endsAt: number } | undefined;
}

const MONTHS = 12;
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
  const { timeZone, weekStartsOn = MONDAY, cron = "", anchor = 0, tournament } = calendar;
  const only = tournament ? `${tournament.startsAt} ${tournament.endsAt}` : "";
  const key = `${period} ${timeZone} ${weekStartsOn} ${cron} ${anchor} ${only}`;
  const known = remembered.get(key);
  if (known && known.startsAt <= millis && millis < known.endsAt) return known;
  const season = workedOut(period, millis, calendar);
  remembered.set(key, season);
  return season;
}

/** The season that is shown at a moment: the one that is on, and of a tournament always that. */
export function seasonShown(period: Period, millis: number, calendar: Calendar): Season {
  return period === "custom" && calendar.tournament
    ? seasonNumbered(period, 0, calendar)
    : seasonAt(period, millis, calendar);
}

function workedOut(period: Ending, millis: number, calendar: Calendar): Season {
  return seasonNumbered(period, numberAt(period, millis, calendar), calendar);
}

/** The number of the season that a moment falls into. */
function numberAt(period: Ending, millis: number, calendar: Calendar): number {
  const { timeZone, weekStartsOn = MONDAY } = calendar;
  switch (period) {
    case "daily":
      return localDay(timeZone, millis);
    case "weekly":
      return Math.floor((localDay(timeZone, millis) + EPOCH_WEEKDAY - weekStartsOn) / 7);
    case "monthly": {
      const date = new Date(localDay(timeZone, millis) * DAY_MILLIS);
      return date.getUTCFullYear() * MONTHS + date.getUTCMonth();
    }
    case "custom":
      return calendar.tournament ? numberAround(calendar.tournament, millis) : countedAt(millis, calendar);
  }
}

/** The season of a period that has a number. */
export function seasonNumbered(period: Ending, number: number, calendar: Calendar): Season {
  const { timeZone, weekStartsOn = MONDAY } = calendar;
  switch (period) {
    case "daily":
      return between(timeZone, { key: isoDay(number), number, from: number, to: number + 1 });
    case "weekly": {
      const from = number * 7 - EPOCH_WEEKDAY + weekStartsOn;
      const key = weekStartsOn === MONDAY ? isoWeek(from) : `week-${isoDay(from)}`;
      return between(timeZone, { key, number, from, to: from + 7 });
    }
    case "monthly": {
      const [from, to] = [firstOfMonth(number), firstOfMonth(number + 1)];
      return between(timeZone, { key: isoDay(from).slice(0, -3), number, from, to });
    }
    case "custom":
      return calendar.tournament ? ofTournament(calendar.tournament, number) : ofCron(number, calendar);
  }
}

/** @param month counted from the year 0; the number of its first day */
function firstOfMonth(month: number): number {
  return Date.UTC(Math.floor(month / MONTHS), month % MONTHS) / DAY_MILLIS;
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

/** The two fields of each period: for seasons of even numbers, and of odd ones. */
export const SLOTS: Record<Period, readonly [even: SlotName, odd: SlotName]> = {
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

/** The seasons of a cron, counted until there is one that `isEnough`. */
function count({ timeZone, cron: pattern = "", anchor = 0 }: Calendar, isEnough: (starts: number[]) => boolean) {
  const key = `${pattern} ${timeZone} ${anchor}`;
  const known = counted.get(key) ?? { cron: new Cron(pattern, { timezone: timeZone }), starts: [anchor] };
  counted.set(key, known);
  const { cron, starts } = known;
  while (!isEnough(starts)) {
    const next = cron.nextRun(new Date(starts.at(-1) ?? anchor));
    if (!next || starts.length > MAX_COUNTED) {
      throw new Error(`the seasons of ${pattern} cannot be counted from ${new Date(anchor).toISOString()}`);
    }
    starts.push(next.getTime());
  }
  return starts;
}

/** What lies before the anchor belongs to the first season. */
function countedAt(millis: number, calendar: Calendar): number {
  const starts = count(calendar, (known) => (known.at(-1) ?? 0) > millis);
  return Math.max(
    0,
    starts.findLastIndex((start) => start <= millis),
  );
}

function ofCron(number: number, calendar: Calendar): Season {
  const starts = count(calendar, ({ length }) => length > number + 1);
  const [startsAt = 0, endsAt = 0] = starts.slice(number, number + 2);
  return { key: keyOfMoment(startsAt), number, startsAt, endsAt };
}

/** A tournament is season 0; before it is -1, and after it 1. */
function numberAround({ startsAt, endsAt }: { startsAt: number; endsAt: number }, millis: number): number {
  if (millis < startsAt) return -1;
  return millis < endsAt ? 0 : 1;
}

function ofTournament({ startsAt, endsAt }: { startsAt: number; endsAt: number }, number: number): Season {
  if (number === 0) return { key: keyOfMoment(startsAt), number, startsAt, endsAt };
  if (number < 0) return { key: "before", number: -1, startsAt: Number.NEGATIVE_INFINITY, endsAt: startsAt };
  return { key: "after", number: 1, startsAt: endsAt, endsAt: Number.POSITIVE_INFINITY };
}

function keyOfMoment(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 16)}Z`;
}
