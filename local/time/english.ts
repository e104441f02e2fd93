import { ScheduleError } from "./schedule-error.ts";

/**
 * The English schedules of App Engine's cron.yaml, such as `every 5 minutes` or `1st,third monday of month 09:00`.
 * Source: https://cloud.google.com/appengine/docs/standard/scheduling-jobs-with-cron-yaml
 */
export type English =
  /** A cron expression, in which `1#3` is the third Monday of the month. */
  | { readonly kind: "times"; readonly pattern: string }
  | {
      readonly kind: "interval";
      readonly millis: number;
      /** Cron expressions of when the interval starts to count on each day, and of when it stops. */
      readonly range?: { readonly start: string; readonly end: string };
    };

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const MAX_INTERVAL = 99_999;
const MAX_TOKENS = 100;

const ORDINALS: readonly (readonly string[])[] = [
  ["1st", "first"],
  ["2nd", "second"],
  ["3rd", "third"],
  ["4th", "fourth"],
  ["5th", "fifth"],
];
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"].map(abbreviated);
const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
].map(abbreviated);
const MINUTES_IN: Readonly<Record<string, number>> = { minutes: 1, mins: 1, hours: 60 };

/** The words of a schedule, taken one by one from the front. */
class Words {
  readonly #text: string;
  readonly #words: readonly string[];
  #place = 0;

  constructor(text: string) {
    this.#text = text;
    this.#words = text.toLowerCase().match(/\d+:\d+|[a-z\d]+|\S/g) ?? [];
    if (this.#words.length > MAX_TOKENS) throw this.unexpected(`at most ${MAX_TOKENS} words`);
  }

  get next(): string | undefined {
    return this.#words[this.#place];
  }

  take(): string | undefined {
    return this.#words[this.#place++];
  }

  /** Takes the next word if it is this one. */
  takes(word: string): boolean {
    if (this.next !== word) return false;
    this.#place++;
    return true;
  }

  expect(word: string): void {
    if (!this.takes(word)) throw this.unexpected(`'${word}'`);
  }

  /** The places in a vocabulary of the words of a list with commas; empty if the next word is not of that vocabulary. */
  list(vocabulary: readonly (readonly string[])[], expected: string): number[] {
    const found: number[] = [];
    for (let more = this.#find(vocabulary) >= 0; more; more = this.takes(",")) {
      const place = this.#find(vocabulary);
      if (place < 0) throw this.unexpected(expected);
      found.push(place);
      this.#place++;
    }
    return found;
  }

  #find(vocabulary: readonly (readonly string[])[]): number {
    return vocabulary.findIndex((names) => names.includes(this.next ?? ""));
  }

  unexpected(expected: string): ScheduleError {
    const part = this.next ?? "";
    const found = part === "" ? "it ends there" : `there is '${part}'`;
    return new ScheduleError(part === "" ? this.#text : part, `'${this.#text}': expected ${expected}, but ${found}.`);
  }
}

/** Throws ScheduleError naming the word that is wrong. */
export function readEnglish(text: string): English {
  const words = new Words(text);
  const every = words.takes("every");
  const read = every && /^\d+$/.test(words.next ?? "") ? readInterval(words) : readTimes(words, every);
  if (words.next !== undefined) throw words.unexpected("nothing more");
  return read;
}

/** `5 minutes`, `2 hours from 09:00 to 17:00`, `10 mins synchronized`. */
function readInterval(words: Words): English {
  const written = words.next ?? "";
  const count = Number(words.take());
  if (count < 1 || count > MAX_INTERVAL) {
    throw new ScheduleError(written, `An interval is 1 to ${MAX_INTERVAL} minutes or hours, not ${written}.`);
  }
  const minutes = MINUTES_IN[words.next ?? ""];
  if (minutes === undefined) throw words.unexpected("'minutes', 'mins' or 'hours'");
  words.take();
  const millis = count * minutes * MINUTE;
  if (words.takes("synchronized")) {
    if (DAY % millis !== 0) {
      throw new ScheduleError("synchronized", "Only an interval that divides 24 hours evenly can be synchronized.");
    }
    return { kind: "interval", millis, range: { start: "0 0 * * *", end: "59 23 * * *" } };
  }
  if (!words.takes("from")) return { kind: "interval", millis };
  const start = `${readTime(words)} * * *`;
  words.expect("to");
  return { kind: "interval", millis, range: { start, end: `${readTime(words)} * * *` } };
}

/** `day 00:00`, `monday,wednesday 09:00`, `1st,third monday of month 09:00`, `1,15 of jan,jul 06:30`. */
function readTimes(words: Words, every: boolean): English {
  const { monthdays, weekdays, needsMonths } = readDays(words, every);
  const months = words.next === "of" || needsMonths ? readMonths(words) : "*";
  const time = readTime(words);
  return { kind: "times", pattern: `${time} ${monthdays} ${months} ${weekdays}` };
}

interface Days {
  readonly monthdays: string;
  readonly weekdays: string;
  readonly needsMonths?: boolean;
}

function readDays(words: Words, every: boolean): Days {
  if (!every && /^\d+$/.test(words.next ?? "")) {
    return { monthdays: readMonthdays(words).join(","), weekdays: "*", needsMonths: true };
  }
  const ordinals = every ? [] : words.list(ORDINALS, "an ordinal such as '2nd'").map((place) => place + 1);
  if (!every && ordinals.length === 0)
    throw words.unexpected("'every', an ordinal such as '1st', or days of the month");
  if (words.takes("day")) return { monthdays: ordinals.join(",") || "*", weekdays: "*" };
  const weekdays = words.list(WEEKDAYS, "a weekday");
  if (weekdays.length === 0) throw words.unexpected(every ? "a number, 'day' or a weekday" : "'day' or a weekday");
  const each = every ? weekdays : weekdays.flatMap((weekday) => ordinals.map((ordinal) => `${weekday}#${ordinal}`));
  return { monthdays: "*", weekdays: each.join(",") };
}

function readMonthdays(words: Words): number[] {
  const days: number[] = [];
  do {
    const day = /^\d+$/.test(words.next ?? "") ? Number(words.next) : 0;
    if (day < 1 || day > 31) throw words.unexpected("a day of the month from 1 to 31");
    days.push(day);
    words.take();
  } while (words.takes(","));
  return days;
}

/** `of month`, `of jan,july`, `of quarter`, `of 2nd month of quarter`. */
function readMonths(words: Words): string {
  words.expect("of");
  if (words.takes("month")) return "*";
  if (words.takes("quarter")) return "1,4,7,10";
  const ofQuarter = words.list(ORDINALS.slice(0, 3), "'1st', '2nd' or '3rd'");
  if (ofQuarter.length > 0) {
    for (const word of ["month", "of", "quarter"]) words.expect(word);
    return ofQuarter.flatMap((place) => [1, 4, 7, 10].map((first) => first + place)).join(",");
  }
  const months = words.list(MONTHS, "a month").map((place) => place + 1);
  if (months.length === 0) throw words.unexpected("'month', 'quarter' or a month");
  return months.join(",");
}

/** A time of day as the minute and hour of a cron expression. */
function readTime(words: Words): string {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(words.next ?? "") ?? [];
  if (hour === undefined) throw words.unexpected("a time of day from 00:00 to 23:59");
  words.take();
  return `${Number(minute)} ${Number(hour)}`;
}

function abbreviated(name: string): readonly string[] {
  return [name, name.slice(0, 3)];
}
