/**
 * Runs the jobs of a schedule side by side, each to its end: one that fails (a vendor is down) must not have the function end, and its CPU
 * stop, in the middle of the others. Throws what failed once all have ended, so that the run counts as failed.
 */
export async function runAll(jobs: readonly (() => Promise<unknown>)[]): Promise<void> {
  const ended = await Promise.allSettled(jobs.map(async (job) => await job()));
  const failures = ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} of ${jobs.length} jobs failed`);
}
