import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import type { Ending } from "../periods.ts";
import type { View } from "../view.ts";
import { type SeasonRecord, seasonId, seasons } from "./records.ts";

/** A season that is being closed. */
export interface Closing {
  readonly view: View & { readonly period: Ending };
  readonly record: SeasonRecord;
  /** Who is at it. */
  readonly run: string;
}

/** Writes what belongs to a step, after all reads; answers with what has changed of the season. */
type Step = (tx: Transaction, record: SeasonRecord) => Promise<() => Partial<SeasonRecord>>;

/**
 * Takes a step if nobody has taken it, in one transaction with the season, which counts them. Undefined if somebody else was faster. A read
 * and a write besides those of the step.
 */
export async function advance({ view, record, run }: Closing, step: Step): Promise<SeasonRecord | undefined> {
  const reference = seasons(view.id).doc(seasonId(view.period, view.season.key));
  return await transact(async (tx) => {
    const known = (await tx.get(reference)).data();
    if (!known || known.steps < record.steps) throw new Error(`${reference.path} has gone back`);
    if (known.steps !== record.steps) {
      // Our own commit may have landed without our hearing of it.
      return known.steps === record.steps + 1 && known.by === run ? known : undefined;
    }
    const write = await step(tx, known);
    const after: SeasonRecord = { ...known, ...write(), steps: known.steps + 1, by: run, updatedAt: timestamp() };
    tx.set(reference, after);
    return after;
  });
}
