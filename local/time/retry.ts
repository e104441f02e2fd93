/**
 * How a job is tried again after it failed. Seconds; 0 as Cloud Scheduler understands it: no retries, no limit of time.
 * Source: https://cloud.google.com/scheduler/docs/configuring/retry-jobs
 */
export interface RetryConfig {
  readonly retryCount: number;
  readonly maxRetrySeconds: number;
  readonly minBackoffSeconds: number;
  readonly maxBackoffSeconds: number;
  readonly maxDoublings: number;
}

/** Against jobs that would be tried for ever: without a pause, or for years. */
const MAX_ATTEMPTS = 100;

/**
 * The pause before the next attempt in milliseconds, or undefined if there is none. Where both a number and a time are declared, a job is
 * tried until both are used up.
 *
 * @param failures attempts so far, all of which failed
 * @param elapsedMillis since the first
 */
export function retryDelay(config: RetryConfig, failures: number, elapsedMillis: number): number | undefined {
  const { retryCount, maxRetrySeconds, minBackoffSeconds, maxBackoffSeconds, maxDoublings } = config;
  const countLeft = failures <= retryCount;
  const timeLeft = maxRetrySeconds > 0 && elapsedMillis < maxRetrySeconds * 1_000;
  if (failures >= MAX_ATTEMPTS || !(countLeft || timeLeft)) return undefined;
  const doublings = Math.min(failures - 1, maxDoublings);
  const beyond = Math.max(0, failures - 1 - maxDoublings);
  return Math.min(maxBackoffSeconds, minBackoffSeconds * 2 ** doublings * (1 + beyond)) * 1_000;
}
