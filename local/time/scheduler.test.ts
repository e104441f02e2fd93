import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SuiteClock } from "./clock.ts";
import { FunctionsDouble, slowly } from "./harness.ts";
import { JobBusy, Scheduler, UnknownJob } from "./scheduler.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NEW_YEAR = Date.parse("2026-01-01T00:00:00Z");

let functions: FunctionsDouble;
let clock: SuiteClock;
let scheduler: Scheduler;
const report = vi.fn<(message: string) => void>();

beforeEach(async () => {
  report.mockClear();
  functions = new FunctionsDouble();
  await functions.start();
  clock = new SuiteClock({ report });
  await clock.freeze();
  await clock.set(NEW_YEAR);
  scheduler = new Scheduler({ clock, functionsHost: functions.host, report, listEveryMillis: 50 });
});

afterEach(() => {
  scheduler.stop();
  functions.stop();
});

/** Declares a function and starts the scheduler. */
async function scheduled(schedule: string, retryConfig: object = {}, rest: object = {}): Promise<void> {
  functions.declared = [{ name: "cleanUp", schedule: { schedule, retryConfig, ...rest } }, { name: "hello" }];
  await scheduler.start();
}

const onlyJob = () => scheduler.jobs()[0];

describe("a scheduled function", () => {
  test("is called as Cloud Scheduler calls it", async () => {
    await scheduled("0 9 * * *", {}, { timeZone: "Europe/Berlin" });
    await clock.advance(24 * HOUR);
    expect(functions.calls).toHaveLength(1);
    expect(functions.calls[0]).toMatchObject({
      project: "demo-time",
      key: "us-central1-cleanUp-0",
      body: "",
      headers: {
        "x-cloudscheduler": "true",
        "x-cloudscheduler-jobname": "firebase-schedule-cleanUp-us-central1",
        "x-cloudscheduler-scheduletime": "2026-01-01T08:00:00Z",
      },
    });
  });

  test("runs at each of its times when a day is gone through, once and in order, however long it takes", async () => {
    functions.answer = slowly(5);
    await scheduled("0 * * * *");
    await clock.advance(24 * HOUR);
    const hours = Array.from({ length: 24 }, (_, i) => NEW_YEAR + (i + 1) * HOUR);
    expect(functions.times).toEqual(hours.map((hour) => new Date(hour).toISOString().replace(".000Z", "Z")));
    expect(functions.mostOpen).toBe(1);
    expect(onlyJob()).toMatchObject({ skipped: 0, lastRun: { state: "succeeded", status: 200, attempts: 1 } });
  });

  test("runs by itself when its time comes", async () => {
    await clock.set(NEW_YEAR + HOUR - 100);
    await scheduled("every 1 hours synchronized");
    await clock.resume();
    await vi.waitFor(() => expect(functions.times).toEqual(["2026-01-01T01:00:00Z"]), { timeout: 2_000 });
  });

  test("without a time zone goes by UTC, of the first generation by the time of Los Angeles and with a topic's event", async () => {
    functions.declared = [
      { name: "second", schedule: { schedule: "0 9 * * *", timeZone: null } },
      { name: "first", platform: "gcfv1", schedule: { schedule: "0 9 * * *" } },
    ];
    functions.answer = (name) => (name === "first" ? 204 : 200);
    await scheduler.start();
    await clock.advance(24 * HOUR);
    expect(functions.times).toEqual(["2026-01-01T09:00:00Z", "2026-01-01T17:00:00Z"]);
    expect(JSON.parse(functions.calls[1]?.body ?? "")).toMatchObject({
      context: { eventType: "google.pubsub.topic.publish", timestamp: "2026-01-01T17:00:00Z" },
      data: { attributes: { scheduled: "true" } },
    });
    expect(scheduler.jobs().map(({ lastRun }) => lastRun?.state)).toEqual(["succeeded", "succeeded"]);
  });

  test("with a schedule that cannot be read is reported and listed, and keeps no other from running", async () => {
    functions.declared = [
      { name: "bad", schedule: { schedule: "every 1 hour" } },
      { name: "good", schedule: { schedule: "every 1 hours" } },
    ];
    await scheduler.start();
    await clock.advance(HOUR);
    expect(functions.calls.map(({ key }) => key)).toEqual(["us-central1-good-0"]);
    expect(scheduler.jobs()[0]).toMatchObject({ name: "bad", error: expect.stringContaining("'hour'") });
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("bad never runs"));
  });

  test("does not run while background functions are switched off", async () => {
    await scheduled("0 * * * *", { retryCount: 3 });
    functions.isDisabled = true;
    await clock.advance(HOUR);
    expect(functions.calls).toEqual([]);
    expect(onlyJob()?.lastRun).toMatchObject({ state: "disabled", attempts: 1 });
    expect(report).not.toHaveBeenCalled();
    functions.isDisabled = false;
    await clock.advance(HOUR);
    expect(functions.times).toEqual(["2026-01-01T02:00:00Z"]);
  });

  test("is found under its new key when the emulator has loaded all functions anew, or was started anew", async () => {
    await scheduled("0 * * * *");
    await clock.advance(HOUR);
    functions.generation = 2;
    await clock.advance(2 * HOUR);
    functions.generation = 0;
    await clock.advance(HOUR);
    expect(functions.calls.map(({ key }) => key)).toEqual([
      "us-central1-cleanUp-0",
      "us-central1-cleanUp-2",
      "us-central1-cleanUp-2",
      "us-central1-cleanUp-0",
    ]);
    expect(onlyJob()?.lastRun?.state).toBe("succeeded");
  });
});

describe("a run that is still going when the next is due", () => {
  test("makes that one be skipped", async () => {
    clock = new SuiteClock({ patienceMillis: 50 });
    await clock.freeze();
    await clock.set(NEW_YEAR);
    scheduler = new Scheduler({ clock, functionsHost: functions.host, report });
    functions.answer = () => (functions.calls.length === 1 ? slowly(400)() : 200);
    await scheduled("* * * * *");
    await clock.advance(2 * MINUTE);
    expect(functions.times).toEqual(["2026-01-01T00:01:00Z"]);
    expect(onlyJob()).toMatchObject({ skipped: 1, lastRun: { state: "running" } });
    expect(report).toHaveBeenCalledExactlyOnceWith("cleanUp was due at 2026-01-01T00:02:00.000Z but is still running");
    await vi.waitFor(() => expect(onlyJob()?.lastRun?.state).toBe("succeeded"), { timeout: 5_000 });
    await clock.advance(MINUTE);
    expect(functions.times).toEqual(["2026-01-01T00:01:00Z", "2026-01-01T00:03:00Z"]);
  });
});

describe("a failing function", () => {
  test("is not called again before its next time if it declares no retries", async () => {
    functions.answer = () => 500;
    await scheduled("0 0 * * *");
    await clock.advance(24 * HOUR);
    await clock.advance(23 * HOUR);
    expect(functions.calls).toHaveLength(1);
    expect(onlyJob()?.lastRun).toMatchObject({ state: "failed", status: 500, attempts: 1 });
    expect(report).toHaveBeenCalledExactlyOnceWith("cleanUp failed after 1 attempt(s): 500");
  });

  test("is called again for the same time with its backoff on the suite's clock, until it succeeds", async () => {
    const calledAt: number[] = [];
    functions.answer = () => {
      calledAt.push((clock.now() - NEW_YEAR - HOUR) / 1_000);
      return calledAt.length < 4 ? 500 : 200;
    };
    await scheduled("0 1 * * *", { retryCount: 5, minBackoffSeconds: 10, maxBackoffSeconds: 15 });
    await clock.advance(2 * HOUR);
    expect(calledAt).toEqual([0, 10, 25, 40]);
    expect(new Set(functions.times)).toEqual(new Set(["2026-01-01T01:00:00Z"]));
    expect(onlyJob()?.lastRun).toMatchObject({ state: "succeeded", attempts: 4 });
  });

  test("is given up when its retries are used up", async () => {
    functions.answer = () => 503;
    await scheduled("0 1 * * *", { retryCount: 2 });
    await clock.advance(2 * HOUR);
    expect(functions.calls).toHaveLength(3);
    expect(onlyJob()?.lastRun).toMatchObject({ state: "failed", attempts: 3, status: 503 });
  });

  test("skips the times that come while it waits to be called again", async () => {
    functions.answer = () => (functions.calls.length < 2 ? 500 : 200);
    await scheduled("*/10 * * * *", { retryCount: 1, minBackoffSeconds: 1_500 });
    await clock.advance(40 * MINUTE);
    expect(functions.times).toEqual(["2026-01-01T00:10:00Z", "2026-01-01T00:10:00Z", "2026-01-01T00:40:00Z"]);
    expect(onlyJob()?.skipped).toBe(2);
  });

  test("counts as failed if nobody answers", async () => {
    await scheduled("0 * * * *", { retryCount: 1 });
    functions.stop();
    await clock.advance(HOUR + MINUTE);
    expect(onlyJob()?.lastRun).toMatchObject({ state: "failed", attempts: 2, reason: expect.any(String) });
    expect(onlyJob()?.lastRun).not.toHaveProperty("status");
  });

  test("is called at its next time again after the clock was set back, and not retried for the run given up", async () => {
    functions.answer = () => (functions.calls.length < 2 ? 500 : 200);
    await scheduled("0 * * * *", { retryCount: 1, minBackoffSeconds: 600 });
    await clock.advance(HOUR);
    await clock.set(NEW_YEAR + 30 * MINUTE);
    expect(onlyJob()?.lastRun?.state).toBe("failed");
    await clock.set(NEW_YEAR + 90 * MINUTE);
    expect(functions.times).toEqual(["2026-01-01T01:00:00Z", "2026-01-01T01:00:00Z"]);
  });
});

describe("the scheduler", () => {
  test("notices functions that come, change and go", async () => {
    await scheduled("0 1 * * *");
    functions.declared = [
      { name: "cleanUp", schedule: { schedule: "0 2 * * *" } },
      { name: "report", schedule: { schedule: "0 3 * * *" } },
    ];
    await vi.waitFor(() =>
      expect(scheduler.jobs().map(({ schedule }) => schedule)).toEqual(["0 2 * * *", "0 3 * * *"]),
    );
    await clock.advance(12 * HOUR);
    expect(functions.times).toEqual(["2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"]);
    functions.declared = [];
    await vi.waitFor(() => expect(scheduler.jobs()).toEqual([]), { timeout: 5_000 });
    await clock.advance(48 * HOUR);
    expect(functions.calls).toHaveLength(2);
  });

  test("keeps the phase of an interval while nothing changes", async () => {
    await scheduled("every 30 minutes");
    await clock.advance(20 * MINUTE);
    await sleep(120);
    await clock.advance(10 * MINUTE);
    expect(functions.times).toEqual(["2026-01-01T00:30:00Z"]);
  });

  test("waits for an emulator that is not there yet, and says so once", async () => {
    const { port } = functions;
    functions.stop();
    await scheduled("0 * * * *");
    await sleep(150);
    expect(scheduler.jobs()).toEqual([]);
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("no scheduled functions"));
    const later = new FunctionsDouble();
    later.declared = functions.declared;
    await later.start(port);
    await vi.waitFor(() => expect(scheduler.jobs()).toHaveLength(1), { timeout: 5_000 });
    later.stop();
  });

  test("runs no more than eight functions at once", async () => {
    functions.declared = Array.from({ length: 12 }, (_, i) => ({ name: `f${i}`, schedule: { schedule: "0 * * * *" } }));
    functions.answer = slowly(30);
    await scheduler.start();
    await clock.advance(HOUR);
    expect(functions.calls).toHaveLength(12);
    expect(functions.mostOpen).toBe(8);
  });

  test("runs a job 1,440 times on one jump at most, then goes on where the jump ends", async () => {
    await scheduled("* * * * *");
    await clock.advance(30 * 24 * HOUR);
    expect(functions.calls).toHaveLength(1_441);
    expect(functions.times.at(-1)).toBe("2026-01-31T00:00:00Z");
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("1440 times on one jump"));
    await clock.advance(2 * MINUTE);
    expect(functions.calls).toHaveLength(1_443);
  });

  test("stops calling when it is stopped, and starts again", async () => {
    await scheduled("0 * * * *");
    scheduler.stop();
    await clock.advance(2 * HOUR);
    expect(functions.calls).toHaveLength(0);
    await scheduler.start();
    await clock.advance(HOUR);
    expect(functions.times).toEqual(["2026-01-01T03:00:00Z"]);
  });
});

describe("a run by hand", () => {
  test("calls the function for the time it is, whatever its schedule", async () => {
    await scheduled("0 0 1 1 *");
    await clock.advance(90_500);
    for (const name of ["cleanUp", "us-central1-cleanUp", "firebase-schedule-cleanUp-us-central1"]) {
      expect(await scheduler.run(name)).toMatchObject({ state: "succeeded", status: 200 });
    }
    expect(functions.times).toEqual(Array(3).fill("2026-01-01T00:01:30.500Z"));
  });

  test("is refused for a function that is not there, or is running", async () => {
    await scheduled("0 * * * *");
    await expect(scheduler.run("hello")).rejects.toThrow(UnknownJob);
    functions.answer = slowly(50);
    const going = scheduler.run("cleanUp");
    await expect(scheduler.run("cleanUp")).rejects.toThrow(JobBusy);
    await going;
  });

  test("that is still going when the clock jumps is over before the next begins", async () => {
    await scheduled("0 * * * *");
    functions.answer = slowly(60);
    const going = scheduler.run("cleanUp");
    await clock.advance(HOUR);
    await going;
    expect(functions.calls).toHaveLength(2);
    expect(functions.mostOpen).toBe(1);
    expect(onlyJob()?.skipped).toBe(0);
  });
});
