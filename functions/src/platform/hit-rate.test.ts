import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { count, counted } from "./hit-rate.ts";
import { log } from "./log.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("how often a cache has answered is logged once a minute however often that is, with the share that it did", () => {
  const info = vi.spyOn(log, "info").mockImplementation(() => {});
  for (let second = 0; second < 125; second++) {
    vi.advanceTimersByTime(1_000);
    for (let i = 0; i < 19; i++) count("page:arcade", "process");
    count("page:other", "source");
  }
  expect(info.mock.calls.map(([message]) => message)).toEqual(["cache", "cache"]);
  const [, fields] = info.mock.calls[0] ?? [];
  expect(fields).toMatchObject({ cache: "page", redis: 0, stale: 0 });
  expect(Number(fields?.hitRate)).toBeGreaterThan(0.94);
  expect(Number(fields?.hitRate)).toBeLessThan(0.96);
  expect(counted("page")?.source).toBeLessThan(10);
});

test("caches are counted each for itself, and only so many", () => {
  count("one", "redis");
  for (let i = 0; i < 500; i++) count(`made-up-${i}:x`, "source");
  expect(counted("one")).toEqual({ process: 0, redis: 1, stale: 0, source: 0 });
  expect(counted("made-up-499")).toBeUndefined();
});
