/**
 * A Cloud Tasks queue for the official tasks emulator, which knows neither schedule times nor how to wait without spinning.
 * It has the methods that the emulator's controller calls on a queue of its own; see `launcher/launcher.ts` for how it gets there.
 */

/** As the functions emulator registers it, from the options of `onTaskDispatched`. Seconds, as in Cloud Tasks. */
export interface QueueConfig {
  readonly retryConfig: {
    readonly maxAttempts: number;
    readonly maxRetrySeconds: number | null;
    readonly minBackoffSeconds: number;
    readonly maxBackoffSeconds: number;
    readonly maxDoublings: number;
  };
  readonly rateLimits: { readonly maxConcurrentDispatches: number; readonly maxDispatchesPerSecond: number };
  /** Where the function is called if a task does not say. */
  readonly defaultUri: string;
}

/** A task as firebase-admin posts it. */
export interface Task {
  readonly name: string;
  readonly scheduleTime?: string;
  readonly dispatchDeadline?: string;
  readonly httpRequest: { url: string; readonly headers?: Record<string, string>; readonly body: unknown };
}

interface Entry {
  readonly task: Task;
  /** When it is due next, in milliseconds since the epoch. */
  due: number;
  readonly first: number;
  /** Answers got so far; the number of the next try, counted from zero. */
  retries: number;
  /** Answers that were not 5xx. */
  executions: number;
  previous: number | undefined;
}

/** How long the name of a finished task stays taken. Source: https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create */
const NAME_MILLIS = 3_600_000;
const MAX_TASKS = 100_000;
const DEFAULT_DEADLINE_SECONDS = 60;

/** The time that tasks are scheduled by. */
export interface QueueClock {
  now(): number;
  /** Calls back when it is `millis`; the clock waits for what is returned if it can. Returns the way to take that back. */
  at(millis: number, callback: () => unknown): () => void;
}

export class ScheduledTaskQueue {
  readonly #key: string;
  readonly #clock: QueueClock;
  readonly #config: QueueConfig;
  readonly #waiting = new Map<string, Entry>();
  /** Names in use, with the time at which they are free again. */
  readonly #names = new Map<string, number>();
  #running = 0;
  #unset: () => void = () => undefined;
  #completed = 0;
  #failed = 0;

  constructor(key: string, config: QueueConfig, clock: QueueClock) {
    this.#key = key;
    this.#clock = clock;
    this.#config = config;
  }

  /** Takes a task; throws if its name is in use. */
  enqueue(task: Task): void {
    const now = this.#clock.now();
    if ((this.#names.get(task.name) ?? 0) > now) throw new Error(`A task named ${task.name} exists already.`);
    if (this.#waiting.size >= MAX_TASKS) throw new Error(`More than ${MAX_TASKS} tasks are waiting.`);
    if (task.httpRequest.url === "") task.httpRequest.url = this.#config.defaultUri;
    this.#forgetNames(now);
    this.#names.set(task.name, Number.POSITIVE_INFINITY);
    const scheduled = task.scheduleTime ? Date.parse(task.scheduleTime) : now;
    const due = Number.isNaN(scheduled) ? now : Math.max(now, scheduled);
    this.#waiting.set(task.name, { task, due, first: due, retries: 0, executions: 0, previous: undefined });
    void this.#arm();
  }

  /** Takes a waiting task away; throws if there is none of this name. */
  delete(name: string): void {
    if (!this.#waiting.delete(name)) throw new Error(`There is no task named ${name}.`);
    this.#names.set(name, this.#clock.now() + NAME_MILLIS);
  }

  /** The controller polls active queues without pause; this one has timers of its own. */
  isActive(): boolean {
    return false;
  }

  dispatchTasks(): void {}

  processDispatch(): void {}

  refillTokens(): void {}

  getStatistics(): object {
    const { maxDispatchesPerSecond, maxConcurrentDispatches } = this.#config.rateLimits;
    return {
      numberOfTasks: this.#waiting.size,
      runningTasks: this.#running,
      completedTasks: this.#completed,
      failedTasks: this.#failed,
      maxRate: maxDispatchesPerSecond,
      maxConcurrent: maxConcurrentDispatches,
    };
  }

  /** Runs the tasks that are due, and sets the timer for the next. Ends when those have ended. */
  async #arm(): Promise<void> {
    this.#unset();
    const now = this.#clock.now();
    const { maxConcurrentDispatches, maxDispatchesPerSecond } = this.#config.rateLimits;
    let next = Number.POSITIVE_INFINITY;
    const runs: Promise<void>[] = [];
    for (const entry of this.#waiting.values()) {
      if (entry.due > now) {
        next = Math.min(next, entry.due);
      } else if (this.#running >= maxConcurrentDispatches) {
        break;
      } else if (runs.length >= Math.max(1, maxDispatchesPerSecond)) {
        next = Math.min(next, now + 1_000);
        break;
      } else {
        this.#waiting.delete(entry.task.name);
        runs.push(this.#run(entry));
      }
    }
    if (next < Number.POSITIVE_INFINITY) {
      this.#unset = this.#clock.at(next, () => this.#arm());
    }
    await Promise.all(runs);
  }

  async #run(entry: Entry): Promise<void> {
    this.#running++;
    const status = await this.#dispatch(entry);
    this.#running--;
    if (status !== undefined && status >= 200 && status < 300) {
      this.#completed++;
      this.#names.set(entry.task.name, this.#clock.now() + NAME_MILLIS);
    } else {
      this.#retry(entry, status);
    }
    void this.#arm();
  }

  /** Calls the function once; undefined if it did not answer. */
  async #dispatch({ task, retries, executions, previous, due }: Entry): Promise<number | undefined> {
    const deadline = Number.parseFloat(task.dispatchDeadline ?? "") || DEFAULT_DEADLINE_SECONDS;
    try {
      const response = await fetch(task.httpRequest.url, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "X-CloudTasks-QueueName": this.#key,
          "X-CloudTasks-TaskName": task.name.split("/").at(-1) as string,
          "X-CloudTasks-TaskRetryCount": String(retries),
          "X-CloudTasks-TaskExecutionCount": String(executions),
          "X-CloudTasks-TaskETA": String(due / 1_000),
          ...(previous === undefined ? {} : { "X-CloudTasks-TaskPreviousResponse": String(previous) }),
          ...task.httpRequest.headers,
        },
        body: JSON.stringify(task.httpRequest.body),
        signal: AbortSignal.timeout(deadline * 1_000),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined;
    }
  }

  /** Puts a task back with the backoff of its queue, or gives it up as the queue declares. */
  #retry(entry: Entry, status: number | undefined): void {
    const { maxAttempts, maxRetrySeconds, minBackoffSeconds, maxBackoffSeconds, maxDoublings } =
      this.#config.retryConfig;
    if (status !== undefined && status < 500) entry.executions++;
    entry.previous = status;
    entry.retries++;
    const now = this.#clock.now();
    const attemptsLeft = maxAttempts < 0 || entry.retries < maxAttempts;
    const timeLeft = (maxRetrySeconds ?? 0) > 0 && now - entry.first < (maxRetrySeconds as number) * 1_000;
    if (!attemptsLeft && !timeLeft) {
      this.#failed++;
      this.#names.set(entry.task.name, now + NAME_MILLIS);
      return;
    }
    const doublings = Math.min(entry.retries - 1, maxDoublings);
    const beyond = Math.max(0, entry.retries - 1 - maxDoublings);
    const backoff = Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** doublings * (1 + beyond));
    entry.due = now + backoff * 1_000;
    this.#waiting.set(entry.task.name, entry);
  }

  #forgetNames(now: number): void {
    if (this.#names.size < MAX_TASKS) return;
    for (const [name, until] of this.#names) if (until <= now) this.#names.delete(name);
  }
}
