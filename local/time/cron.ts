import { Cron } from "croner";
import { checkedCrontab } from "./crontab.ts";
import { readEnglish } from "./english.ts";
import { ScheduleError } from "./schedule-error.ts";

/**
 * The schedules that `onSchedule` takes, in both forms that Cloud Scheduler reads: unix-cron, and the English of App Engine's cron.yaml.
 * Source: https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules
 */
export type Schedule =
  | { readonly kind: "times"; readonly times: Cron }
  /** So long after the time before, in milliseconds. */
  | { readonly kind: "interval"; readonly millis: number }
  /** So often in milliseconds, counted anew from each day's start, up to and including the end. */
  | { readonly kind: "range"; readonly millis: number; readonly start: Cron; readonly end: Cron };

const MAX_LENGTH = 500;
const MINUTE = 60_000;

/**
 * Reads a schedule. Without a time zone it is in UTC. Throws ScheduleError.
 *
 * @param timeZone a name of the tz database, such as `Europe/Berlin`
 */
export function readSchedule(text: string, timeZone = "Etc/UTC"): Schedule {
  checkTimeZone(timeZone);
  if (text.length > MAX_LENGTH) throw new ScheduleError("schedule", `A schedule has at most ${MAX_LENGTH} characters.`);
  const timesOf = (pattern: string) => new Cron(pattern, { timezone: timeZone, mode: "5-part" });
  if (!isEnglish(text)) return { kind: "times", times: timesOf(checkedCrontab(text)) };
  const read = readEnglish(text);
  if (read.kind === "times") return { kind: "times", times: timesOf(read.pattern) };
  if (read.range === undefined) return { kind: "interval", millis: read.millis };
  return { kind: "range", millis: read.millis, start: timesOf(read.range.start), end: timesOf(read.range.end) };
}

/**
 * The first time behind `millis` at which a schedule is due, in milliseconds since the epoch; undefined if there is none, as on
 * 30 February. A time of day that a change to summer time leaves out is due when the clocks have changed; one that comes twice, the
 * first time, unless the schedule repeats through the hour.
 */
export function nextAfter(schedule: Schedule, millis: number): number | undefined {
  switch (schedule.kind) {
    case "times":
      return nextOf(schedule.times, millis);
    case "interval":
      return Math.floor((millis + schedule.millis) / MINUTE) * MINUTE;
    case "range":
      return nextInRange(schedule, millis);
  }
}

function nextInRange(
  { millis: interval, start, end }: Schedule & { kind: "range" },
  millis: number,
): number | undefined {
  const nextStart = nextOf(start, millis);
  const lastStart = start.previousRuns(1, new Date(millis + 1))[0]?.getTime();
  if (nextStart === undefined || lastStart === undefined) return nextStart;
  const next = lastStart + (Math.floor((millis - lastStart) / interval) + 1) * interval;
  const lastEnd = nextOf(end, lastStart - 1) ?? lastStart;
  return next <= lastEnd ? next : nextStart;
}

function nextOf(times: Cron, millis: number): number | undefined {
  return times.nextRun(new Date(millis))?.getTime();
}

/** Cron knows neither colons nor words longer than three letters. */
function isEnglish(text: string): boolean {
  return /:|[a-z]{4}/i.test(text);
}

function checkTimeZone(timeZone: string): void {
  if (isTimeZone(timeZone)) return;
  throw new ScheduleError("timeZone", `'${timeZone}' is not a time zone of the tz database, such as 'Europe/Berlin'.`);
}

/** Offsets like +02:00 mean something to Intl, not to Cloud Scheduler. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined && /^[a-z]/i.test(name);
  } catch {
    return false;
  }
}
