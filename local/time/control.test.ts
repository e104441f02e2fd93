import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SuiteClock } from "./clock.ts";
import { startTimeControl, type TimeControl } from "./control.ts";
import { FunctionsDouble, slowly } from "./harness.ts";
import { Scheduler } from "./scheduler.ts";

const HOUR = 3_600_000;
const NEW_YEAR = Date.parse("2026-01-01T00:00:00Z");

let functions: FunctionsDouble;
let clock: SuiteClock;
let scheduler: Scheduler;
let control: TimeControl;

beforeEach(async () => {
  functions = new FunctionsDouble();
  functions.declared = [
    { name: "hourly", schedule: { schedule: "0 * * * *" } },
    { name: "bad", schedule: { schedule: "0 * * *" } },
  ];
  await functions.start();
  clock = new SuiteClock();
  scheduler = new Scheduler({ clock, functionsHost: functions.host, report: vi.fn() });
  await scheduler.start();
  control = await startTimeControl({ clock, scheduler });
});

afterEach(async () => {
  await control.close();
  scheduler.stop();
  functions.stop();
});

/** Everything that an answer can hold; which of it does is what the tests say. */
interface Answer {
  readonly now: number;
  readonly iso: string;
  readonly offset: number;
  readonly schedules: readonly object[];
  readonly error: { readonly message: string };
}

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${control.port}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
}

const change = (body: unknown) => ask("PUT", "/clock", body);

describe("the clock over HTTP", () => {
  test("tells its time", async () => {
    const { status, body } = await ask("GET", "/clock");
    expect(status).toBe(200);
    expect(body).toEqual({ now: expect.any(Number), iso: expect.any(String), offset: 0, frozen: false });
    expect(Date.parse(body.iso)).toBe(body.now);
    expect(Math.abs(body.now - Date.now())).toBeLessThan(5_000);
  });

  test("is set in milliseconds or as a date, and freezes on the way if told so", async () => {
    expect((await change({ now: NEW_YEAR, frozen: true })).body).toMatchObject({ now: NEW_YEAR, frozen: true });
    expect((await change({ now: "2026-01-01T04:00:00+02:00" })).body).toMatchObject({
      iso: "2026-01-01T02:00:00.000Z",
    });
    await sleep(20);
    expect((await ask("GET", "/clock")).body.iso).toBe("2026-01-01T02:00:00.000Z");
    expect((await change({ frozen: false })).body).toMatchObject({ frozen: false });
  });

  test("is advanced by milliseconds or durations", async () => {
    await change({ now: NEW_YEAR, frozen: true });
    for (const advance of [HOUR, "PT1H", "1h", "30m30m"]) await change({ advance });
    expect((await ask("GET", "/clock")).body.now).toBe(NEW_YEAR + 4 * HOUR);
  });

  test("returns to real time", async () => {
    await change({ now: Date.now() - 3 * HOUR, frozen: true });
    const { body } = await change({ offset: 0, frozen: false });
    expect(body).toMatchObject({ frozen: false });
    expect(Math.abs(body.now - Date.now())).toBeLessThan(5_000);
  });

  test("refuses what it does not understand, and says what it would", async () => {
    const refused: [body: unknown, message: RegExp][] = [
      [{}, /one of now, advance, offset and frozen/],
      [{ now: 1, advance: 1 }, /not several/],
      [{ now: "tomorrow" }, /2026-01-31T09:00:00Z/],
      [{ now: "2026-01-01T00:00:00" }, /2026-01-31T09:00:00Z/],
      [{ now: -1 }, /milliseconds since the epoch/],
      [{ now: 1e18 }, /milliseconds since the epoch/],
      [{ advance: -1 }, /forward/],
      [{ advance: "P1M" }, /1h30m/],
      [{ advance: 253_402_300_799_999 }, /9999/],
      [{ frozen: "yes" }, /frozen/],
      [{ later: 1 }, /later/],
      ["{", /JSON/],
      ["", /JSON/],
    ];
    for (const [body, message] of refused) {
      const answer = await change(body);
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(answer.body.error).toMatchObject({
        code: 400,
        status: "INVALID_ARGUMENT",
        message: expect.stringMatching(message),
      });
    }
    expect((await ask("GET", "/clock")).body.offset).toBe(0);
    expect((await change({ now: 1, padding: "x".repeat(70_000) })).status).toBe(413);
  });

  test("refuses other addresses and methods", async () => {
    expect((await ask("GET", "/time")).status).toBe(404);
    const refused = await ask("DELETE", "/clock");
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, PUT");
    expect((await ask("GET", "/schedules/hourly:run")).status).toBe(405);
    expect((await ask("GET", "/schedules/%E0%A4:run")).status).toBe(405);
    expect((await ask("POST", "/schedules/%E0%A4:run")).status).toBe(400);
  });
});

describe("schedules over HTTP", () => {
  test("have run when an advance is answered", async () => {
    functions.answer = slowly(10);
    await change({ now: NEW_YEAR, frozen: true });
    functions.calls.length = 0;
    await change({ advance: "6h" });
    expect(functions.calls).toHaveLength(6);
    expect(functions.open).toBe(0);
  });

  test("of functions that have just been added run on the next advance", async () => {
    await change({ now: NEW_YEAR, frozen: true });
    functions.calls.length = 0;
    functions.declared = [{ name: "new", schedule: { schedule: "every 1 hours" } }];
    await change({ advance: "1h" });
    expect(functions.calls.map(({ key }) => key)).toEqual(["us-central1-new-0"]);
  });

  test("that take too long are not waited for: the answer tells where the clock is going", async () => {
    await change({ now: NEW_YEAR, frozen: true });
    await control.close();
    control = await startTimeControl({ clock, scheduler, answerWithinMillis: 200 });
    functions.answer = slowly(1_000);
    const { body } = await change({ advance: "90m" });
    expect(body).toMatchObject({ iso: "2026-01-01T01:00:00.000Z", goingTo: "2026-01-01T01:30:00.000Z" });
    await vi.waitFor(async () => expect((await ask("GET", "/clock")).body.iso).toBe("2026-01-01T01:30:00.000Z"), {
      timeout: 5_000,
    });
  });

  test("are listed with their next run, their last and what is wrong with them", async () => {
    await change({ now: NEW_YEAR, frozen: true });
    await change({ advance: "90m" });
    const { body } = await ask("GET", "/schedules");
    expect(body.schedules).toEqual([
      {
        id: "us-central1-bad",
        name: "bad",
        schedule: "0 * * *",
        timeZone: "UTC",
        error: expect.stringContaining("five fields"),
        skipped: 0,
      },
      {
        id: "us-central1-hourly",
        name: "hourly",
        schedule: "0 * * * *",
        timeZone: "UTC",
        nextRun: "2026-01-01T02:00:00.000Z",
        lastRun: { due: "2026-01-01T01:00:00.000Z", state: "succeeded", attempts: 1, status: 200 },
        skipped: 0,
      },
    ]);
  });

  test("are run at once by name", async () => {
    await change({ now: NEW_YEAR + 1_500, frozen: true });
    functions.calls.length = 0;
    functions.answer = () => 500;
    const { status, body } = await ask("POST", "/schedules/hourly:run");
    expect(status).toBe(200);
    expect(body).toMatchObject({ due: "2026-01-01T00:00:01.500Z", state: "failed", status: 500 });
    expect(functions.times).toEqual(["2026-01-01T00:00:01.500Z"]);
    expect((await ask("POST", "/schedules/us-central1-hourly:run")).status).toBe(200);
    expect((await ask("POST", "/schedules/daily:run")).body.error).toMatchObject({ code: 404, status: "NOT_FOUND" });
  });

  test("that are running are not run twice", async () => {
    functions.answer = slowly(200);
    const going = ask("POST", "/schedules/hourly:run");
    await vi.waitFor(() => expect(functions.open).toBe(1), { timeout: 5_000 });
    expect((await ask("POST", "/schedules/hourly:run")).status).toBe(409);
    await going;
  });
});
