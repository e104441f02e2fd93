import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { MAX_TIME, type SuiteClock } from "./clock.ts";
import { parseDuration } from "./duration.ts";
import type { Job, Run } from "./jobs.ts";
import { JobBusy, type Scheduler, UnknownJob } from "./scheduler.ts";

/** The HTTP face of the suite's clock and its scheduled functions, for tests and for people with curl. */

export interface TimeControlOptions {
  readonly clock: SuiteClock;
  readonly scheduler: Scheduler;
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** After so many real milliseconds a change of the clock is answered even if it is still under way. */
  readonly answerWithinMillis?: number;
}

export interface TimeControl {
  readonly port: number;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;
/** Below the five minutes that Node's own client waits for an answer. */
const ANSWER_WITHIN_MILLIS = 280_000;

interface Control {
  readonly clock: SuiteClock;
  readonly scheduler: Scheduler;
  readonly answerWithinMillis: number;
}

interface Call {
  /** What the route's pattern captured. */
  readonly part: string;
  readonly body: () => Promise<unknown>;
}

type Handler = (control: Control, call: Call) => Promise<object> | object;

const ROUTES: readonly [path: RegExp, handlers: Readonly<Record<string, Handler>>][] = [
  [/^\/clock$/, { GET: showClock, PUT: changeClock }],
  [/^\/schedules$/, { GET: showSchedules }],
  [/^\/schedules\/([^/]+):run$/, { POST: runSchedule }],
];

/** Serves `/clock` and `/schedules`; rejects if the port is taken. */
export async function startTimeControl(options: TimeControlOptions): Promise<TimeControl> {
  const { clock, scheduler, host = "127.0.0.1", port = 0, answerWithinMillis = ANSWER_WITHIN_MILLIS } = options;
  const control: Control = { clock, scheduler, answerWithinMillis };
  const server = createServer((request, response) => void serve(control, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the clock's control has no port");
  return {
    port: address.port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

class Refusal extends Error {
  readonly code: number;
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, status: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

async function serve(control: Control, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    send(response, 200, await route(control, request));
  } catch (error) {
    const { code, status, message, headers } = refusalOf(error);
    send(response, code, { error: { code, status, message } }, headers);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof UnknownJob) return new Refusal(404, "NOT_FOUND", error.message);
  if (error instanceof JobBusy) return new Refusal(409, "ABORTED", error.message);
  if (error instanceof z.ZodError) return new Refusal(400, "INVALID_ARGUMENT", z.prettifyError(error));
  if (error instanceof RangeError) return new Refusal(400, "INVALID_ARGUMENT", error.message);
  return new Refusal(500, "INTERNAL", error instanceof Error ? error.message : String(error));
}

async function route(control: Control, request: IncomingMessage): Promise<object> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  for (const [pattern, handlers] of ROUTES) {
    const found = pattern.exec(path);
    if (!found) continue;
    const method = request.method ?? "";
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (handler) return await handler(control, { part: decoded(found[1] ?? ""), body: () => readJson(request) });
    const allowed = Object.keys(handlers).join(", ");
    throw new Refusal(405, "UNIMPLEMENTED", `${path} takes ${allowed}, not ${method}.`, { Allow: allowed });
  }
  throw new Refusal(404, "NOT_FOUND", `There is nothing at ${path}: try /clock or /schedules.`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Refusal(400, "INVALID_ARGUMENT", `'${part}' is not a valid part of an address.`);
  }
}

function showClock({ clock }: Control): object {
  const { now, offset } = clock.state;
  return { now, iso: iso(now), offset, frozen: clock.isFrozen, ...(clock.jump ? { goingTo: iso(clock.jump.to) } : {}) };
}

const TIME = "must be milliseconds since the epoch or a time like 2026-01-31T09:00:00Z, until the year 9999";
const DURATION = 'must be milliseconds or a duration like "1h30m" or "PT1H30M", forward';

const isWithin = (millis: number) => millis >= 0 && millis <= MAX_TIME;

const Time = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))], TIME)
  .refine(isWithin, TIME);

const Duration = z
  .union([z.number(), z.string().transform(parseDuration).pipe(z.number())], DURATION)
  .refine(isWithin, DURATION);

const Change = z
  .strictObject({
    now: Time.optional(),
    advance: Duration.optional(),
    offset: z.number().min(-MAX_TIME).max(MAX_TIME).optional(),
    frozen: z.boolean().optional(),
  })
  .refine(({ now, advance, offset }) => [now, advance, offset].filter((move) => move !== undefined).length <= 1, {
    error: "Give one of now, advance and offset, not several.",
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: "Give one of now, advance, offset and frozen.",
  });

/** Ends when the runs on the way have, or after a bound; then the answer tells where the clock is still going. */
async function changeClock(control: Control, { body }: Call): Promise<object> {
  const change = Change.parse(await body());
  await control.scheduler.refresh();
  const given = new AbortController();
  const patience = sleep(control.answerWithinMillis, undefined, { ref: false, signal: given.signal }).catch(() => {});
  await Promise.race([apply(control.clock, change), patience]);
  given.abort();
  return showClock(control);
}

async function apply(clock: SuiteClock, { now, advance, offset, frozen }: z.infer<typeof Change>): Promise<void> {
  if (frozen === true) await clock.freeze();
  if (now !== undefined) await clock.set(now);
  if (advance !== undefined) await clock.advance(advance);
  if (offset !== undefined) await clock.setOffset(offset);
  if (frozen === false) await clock.resume();
}

async function showSchedules({ scheduler }: Control): Promise<object> {
  await scheduler.refresh();
  return { schedules: scheduler.jobs().map(shownJob) };
}

async function runSchedule({ scheduler }: Control, { part }: Call): Promise<object> {
  await scheduler.refresh();
  return shownRun(await scheduler.run(part));
}

function shownJob({ nextRun, lastRun, ...job }: Job): object {
  return {
    ...job,
    ...(nextRun === undefined ? {} : { nextRun: iso(nextRun) }),
    ...(lastRun === undefined ? {} : { lastRun: shownRun(lastRun) }),
  };
}

function shownRun({ due, ...run }: Run): object {
  return { due: iso(due), ...run };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let size = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new Refusal(413, "INVALID_ARGUMENT", `A body has at most ${MAX_BODY_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Refusal(400, "INVALID_ARGUMENT", "The body must be JSON.");
  }
}

function send(
  response: ServerResponse,
  code: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(code, { "Content-Type": "application/json; charset=utf-8", ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
