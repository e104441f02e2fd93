import { expect, test } from "vitest";
import { type RetryConfig, retryDelay } from "./retry.ts";

const DEFAULTS: RetryConfig = {
  retryCount: 0,
  maxRetrySeconds: 0,
  minBackoffSeconds: 5,
  maxBackoffSeconds: 3_600,
  maxDoublings: 5,
};

const pauses = (config: Partial<RetryConfig>): number[] => {
  const found: number[] = [];
  let elapsed = 0;
  for (let failures = 1; failures < 1_000; failures++) {
    const pause = retryDelay({ ...DEFAULTS, ...config }, failures, elapsed);
    if (pause === undefined) break;
    found.push(pause / 1_000);
    elapsed += pause;
  }
  return found;
};

test("a job is not tried again unless its function says so", () => {
  expect(pauses({})).toEqual([]);
});

test("pauses double, then grow by the same step, up to the longest", () => {
  expect(pauses({ retryCount: 8, minBackoffSeconds: 10, maxBackoffSeconds: 300, maxDoublings: 3 })).toEqual([
    10, 20, 40, 80, 160, 240, 300, 300,
  ]);
});

test("a job with a time to try in is tried until it is over, and with a number as well until both are used up", () => {
  expect(pauses({ maxRetrySeconds: 30 })).toEqual([5, 10, 20]);
  expect(pauses({ maxRetrySeconds: 10, retryCount: 4 })).toEqual([5, 10, 20, 40]);
  expect(pauses({ maxRetrySeconds: 100, retryCount: 1 })).toEqual([5, 10, 20, 40, 80]);
});

test("a job without pauses is given up after a hundred attempts", () => {
  expect(pauses({ maxRetrySeconds: 30, minBackoffSeconds: 0 })).toHaveLength(99);
});
