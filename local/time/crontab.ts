import { ScheduleError } from "./schedule-error.ts";

/** Cloud Scheduler's dialect of crontab: no seconds, no `L`, `W`, `#` or `@daily`. */
interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: readonly Field[] = [
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of the month", low: 1, high: 31 },
  { name: "month", low: 1, high: 12, names: MONTHS },
  { name: "day of the week", low: 0, high: 7, names: WEEKDAYS },
];

/** A crontab expression with its names turned into numbers. Throws ScheduleError naming the field that is wrong. */
export function checkedCrontab(text: string): string {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw new ScheduleError(
      "schedule",
      `'${text}' is neither a cron expression of five fields (minute, hour, day, month, weekday) nor a schedule like 'every 5 minutes'.`,
    );
  }
  return FIELDS.map((field, i) => checkedField(field, parts[i] ?? "")).join(" ");
}

function checkedField(field: Field, text: string): string {
  return text
    .split(",")
    .map((item) => checkedItem(field, item))
    .join(",");
}

const ITEM = /^(?:(\*)|([a-z\d]+)(?:-([a-z\d]+))?)(?:\/(\d+))?$/i;

function checkedItem(field: Field, text: string): string {
  const [, star, first, last, step] = ITEM.exec(text) ?? [];
  if (star === undefined && first === undefined) {
    throw wrong(field, text, "use numbers, ranges, steps and lists such as 1-5, */10 and 1,15");
  }
  const range = star ?? rangeOf(field, text, first ?? "", last);
  if (step === undefined) return range;
  if (!range.includes("-") && star === undefined) throw wrong(field, text, "a step follows * or a range, as in 0-59/5");
  const size = Number(step);
  if (size < 1 || size > field.high - field.low) throw wrong(field, text, `a step of ${size} leads nowhere`);
  return `${range}/${size}`;
}

function rangeOf(field: Field, text: string, first: string, last: string | undefined): string {
  const low = numberOf(field, text, first);
  if (last === undefined) return String(low);
  const number = numberOf(field, text, last);
  // Sunday is 0 and 7: at the end of a range it is the 7, as in FRI-SUN.
  const high = last.toLowerCase() === "sun" && low > 0 ? field.high : number;
  if (high < low) throw wrong(field, text, "a range goes upwards");
  return `${low}-${high}`;
}

function numberOf(field: Field, text: string, written: string): number {
  const named = field.names?.indexOf(written.toLowerCase()) ?? -1;
  if (named >= 0) return named + field.low;
  const number = /^\d+$/.test(written) ? Number(written) : Number.NaN;
  if (number >= field.low && number <= field.high) return number;
  const names = field.names ? ` or a name such as ${field.names[1]?.toUpperCase()}` : "";
  throw wrong(field, text, `it takes ${field.low} to ${field.high}${names}`);
}

function wrong({ name }: Field, text: string, advice: string): ScheduleError {
  return new ScheduleError(name, `The ${name} '${text}' is not valid: ${advice}.`);
}
