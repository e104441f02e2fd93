import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { type ClockState, SuiteClock } from "./clock.ts";

const HOUR = 3_600_000;
const NEW_YEAR = Date.parse("2026-01-01T00:00:00Z");

async function frozenAt(millis: number): Promise<SuiteClock> {
  const clock = new SuiteClock();
  await clock.freeze();
  await clock.set(millis);
  return clock;
}

describe("the suite's clock", () => {
  test("is real time until somebody moves it", () => {
    const before = Date.now();
    const now = new SuiteClock().now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  test("goes on from the time it is set to", async () => {
    const clock = new SuiteClock();
    await clock.set(NEW_YEAR);
    await sleep(30);
    expect(clock.now()).toBeGreaterThanOrEqual(NEW_YEAR + 25);
    expect(clock.now()).toBeLessThan(NEW_YEAR + 5_000);
    expect(clock.state.frozenAt).toBeUndefined();
  });

  test("stands when frozen, can be moved there, and goes on from where it stood", async () => {
    const clock = await frozenAt(NEW_YEAR);
    await sleep(20);
    expect(clock.now()).toBe(NEW_YEAR);
    await clock.advance(HOUR);
    expect(clock.now()).toBe(NEW_YEAR + HOUR);
    expect(clock.state.frozenAt).toBe(NEW_YEAR + HOUR);
    await clock.resume();
    await sleep(20);
    expect(clock.now()).toBeGreaterThan(NEW_YEAR + HOUR);
    expect(clock.now()).toBeLessThan(NEW_YEAR + HOUR + 5_000);
  });

  test("returns to real time exactly with an offset of zero", async () => {
    const clock = new SuiteClock();
    await clock.set(NEW_YEAR);
    await clock.setOffset(0);
    expect(clock.state.offset).toBe(0);
  });

  test("refuses to be advanced backwards, and times that cannot be written", async () => {
    const clock = new SuiteClock();
    await expect(clock.advance(-1)).rejects.toThrow(/forward/);
    await expect(clock.set(-1)).rejects.toThrow(/1970/);
    await expect(clock.set(Number.NaN)).rejects.toThrow(RangeError);
    await expect(clock.advance(1e15)).rejects.toThrow(/9999/);
    await clock.advance(HOUR);
    expect(clock.state.offset).toBeGreaterThan(HOUR - 5_000);
  });
});

describe("timers", () => {
  test("fire when real time reaches them, not earlier", async () => {
    const clock = new SuiteClock();
    const due = clock.now() + 60;
    const firedAt = await new Promise<number>((resolve) => clock.at(due, () => resolve(clock.now())));
    expect(firedAt).toBeGreaterThanOrEqual(due);
  });

  test("fire at once when their time has passed, on a frozen clock too", async () => {
    const clock = await frozenAt(NEW_YEAR);
    const fired = vi.fn();
    clock.at(NEW_YEAR - HOUR, fired);
    clock.at(NEW_YEAR + 1, fired);
    await vi.waitFor(() => expect(fired).toHaveBeenCalledTimes(1), { timeout: 5_000 });
    await sleep(30);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  test("of every hour fire 24 times in order on a day's advance, each at its own time", async () => {
    const clock = await frozenAt(NEW_YEAR);
    const seen: number[] = [];
    const marks = Array.from({ length: 24 }, (_, i) => NEW_YEAR + (i + 1) * HOUR);
    for (const mark of [...marks].reverse()) clock.at(mark, () => seen.push(clock.now()));
    await clock.advance(24 * HOUR);
    expect(seen).toEqual(marks);
    expect(clock.now()).toBe(NEW_YEAR + 24 * HOUR);
  });

  test("that set themselves again are followed through the whole advance", async () => {
    const clock = await frozenAt(NEW_YEAR);
    let count = 0;
    const hourly = (due: number) => {
      count++;
      clock.at(due + HOUR, hourly);
    };
    clock.at(NEW_YEAR + HOUR, hourly);
    await clock.advance(1_000 * HOUR);
    expect(count).toBe(1_000);
  });

  test("are waited for: the clock stands until the work of one time is done", async () => {
    const clock = new SuiteClock();
    await clock.set(NEW_YEAR);
    const seen: string[] = [];
    clock.at(NEW_YEAR + HOUR, async () => {
      await sleep(40);
      seen.push(`first at ${clock.now() - NEW_YEAR}`);
    });
    clock.at(NEW_YEAR + 2 * HOUR, () => seen.push(`second at ${clock.now() - NEW_YEAR}`));
    await clock.set(NEW_YEAR + 3 * HOUR);
    expect(seen).toEqual([`first at ${HOUR}`, `second at ${2 * HOUR}`]);
  });

  test("that never end hold the clock only as long as its patience lasts", async () => {
    const report = vi.fn();
    const clock = new SuiteClock({ patienceMillis: 50, report });
    await clock.freeze();
    clock.at(clock.now() + 1_000, () => new Promise(() => {}));
    await clock.advance(2_000);
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("50 ms"));
  });

  test("that fail are reported and keep nothing from firing", async () => {
    const report = vi.fn();
    const clock = new SuiteClock({ report });
    await clock.freeze();
    const after = vi.fn();
    clock.at(clock.now() + 1, () => {
      throw new Error("no such luck");
    });
    clock.at(clock.now() + 2, after);
    await clock.advance(2);
    expect(report).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("no such luck"));
    expect(after).toHaveBeenCalledOnce();
  });

  test("that were taken away, or that lie further off than timers reach, do not fire", async () => {
    const clock = new SuiteClock();
    const fired = vi.fn();
    clock.at(clock.now() + 2 ** 33, fired);
    clock.at(clock.now() + 20, fired)();
    await sleep(60);
    expect(fired).not.toHaveBeenCalled();
  });

  test("do not fire when the clock goes back over them", async () => {
    const clock = await frozenAt(NEW_YEAR);
    const fired = vi.fn();
    clock.at(NEW_YEAR + HOUR, fired);
    await clock.set(NEW_YEAR - HOUR);
    await sleep(20);
    expect(fired).not.toHaveBeenCalled();
    await clock.set(NEW_YEAR + HOUR);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("fire in the order of their times whatever the order and number of advances", async () => {
    const offsets = fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 40 });
    const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(offsets, steps, async (dues, advances) => {
        const clock = await frozenAt(NEW_YEAR);
        const fired: [due: number, at: number][] = [];
        for (const due of dues) clock.at(NEW_YEAR + due, () => fired.push([NEW_YEAR + due, clock.now()]));
        for (const advance of advances) await clock.advance(advance);
        const end = advances.reduce((sum, advance) => sum + advance, NEW_YEAR);
        const expected = dues.map((due) => NEW_YEAR + due).filter((due) => due <= end);
        expect(fired).toEqual(expected.sort((a, b) => a - b).map((due) => [due, due]));
      }),
      { numRuns: 200 },
    );
  });

  test("are limited in number", () => {
    const clock = new SuiteClock();
    const far = clock.now() + HOUR;
    for (let i = 0; i < 100_000; i++) clock.at(far, () => {});
    expect(() => clock.at(far, () => {})).toThrow(RangeError);
  });
});

describe("changes", () => {
  test("are made one after the other, in the order asked for", async () => {
    const clock = await frozenAt(NEW_YEAR);
    const seen: number[] = [];
    clock.at(NEW_YEAR + 1, async () => {
      await sleep(20);
      seen.push(clock.now());
    });
    await Promise.all([clock.advance(10), clock.set(NEW_YEAR + 500), clock.advance(1)]);
    expect(seen).toEqual([NEW_YEAR + 1]);
    expect(clock.now()).toBe(NEW_YEAR + 501);
  });

  test("are told to listeners, with every time at which a jump stops before the timers of that time", async () => {
    const clock = await frozenAt(NEW_YEAR);
    const seen: (number | string)[] = [];
    const forget = clock.onChange(async ({ frozenAt: time }: ClockState) => {
      await sleep(5);
      seen.push((time ?? Number.NaN) - NEW_YEAR);
    });
    clock.at(NEW_YEAR + 10, () => seen.push("timer of 10"));
    clock.at(NEW_YEAR + 20, () => seen.push("timer of 20"));
    await clock.advance(30);
    expect(seen).toEqual([10, "timer of 10", 20, "timer of 20", 30]);
    forget();
    await clock.advance(30);
    expect(seen).toHaveLength(5);
  });
});
