import type { Reference } from "firebase-admin/database";
import * as z from "zod";
import { now } from "../../platform/clock.ts";
import { busy } from "../../platform/failure.ts";

/** Longer than the function that holds one may run. */
const LEASE_MILLIS = 60_000;

/** Who may write the first of a board, until when, and which run was the last to have written them. */
const Lease = z.object({ until: z.int(), run: z.string().optional() }).catch({ until: 0 });
type Lease = z.output<typeof Lease>;

/**
 * Takes a lease, so that of two runs neither writes what it has worked out from what the other has changed since. Answers with the run that
 * wrote last. Refuses `busy` while another has it. Whoever writes gives it back in the same update, by {@link returned}.
 */
export async function take(reference: Reference): Promise<string | undefined> {
  const time = now();
  const { committed, snapshot } = await reference.transaction(
    (current: unknown) => {
      const lease = Lease.parse(current);
      if (lease.until > time) return undefined;
      return { ...lease, until: time + LEASE_MILLIS } satisfies Lease;
    },
    undefined,
    false,
  );
  if (!committed) throw busy("The board is being brought up to date.");
  return Lease.parse(snapshot.val()).run;
}

/** A lease that is free again. */
export function returned(run: string): Lease {
  return { until: 0, run };
}
