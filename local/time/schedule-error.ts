/** A schedule or time zone that Cloud Scheduler would not take. */
export class ScheduleError extends Error {
  /** The piece of the schedule that is wrong, or `timeZone`. */
  readonly part: string;

  constructor(part: string, message: string) {
    super(message);
    this.name = "ScheduleError";
    this.part = part;
  }
}
