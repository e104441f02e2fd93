import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";
import { DifferenceKind } from "../contract.ts";

/** `reconciliations/{day}`: how far the comparison of a day (UTC) with Stripe's books is, so that it goes on where it was cut off. */
export const Reconciliation = z.object({
  /** First what is there is looked for here, then what is here is looked for there. */
  phase: z.enum(["there", "here", "done"]),
  /** The last balance transaction, or the last withdrawal, that was looked at in the phase. */
  cursor: z.string().optional(),
  looked: z.int().nonnegative(),
  differences: z.int().nonnegative(),
  /** What Stripe has charged, by currency, in smallest units. */
  fees: z.record(z.string(), z.int()),
  startedAt: Moment,
  updatedAt: Moment,
});
export type Reconciliation = z.infer<typeof Reconciliation>;

export const reconciliations = () => collection("reconciliations", Reconciliation);

/** `differences/{id}`: one thing that does not fit. Its id is of what it is about, so that it is noted once however often it is seen. */
export const Difference = z.object({
  kind: DifferenceKind,
  /** Stripe's object, as `tr_…`; of fees, the day. */
  object: z.string(),
  /** `transfer`, `charge`, `refund`…, in Stripe's words. */
  type: z.string(),
  day: z.string(),
  currency: z.string(),
  /** In smallest units: what Stripe says, and what our books say. */
  there: z.int(),
  here: z.int(),
  /** In words, for people. */
  what: z.string(),
  withdrawal: z.string().optional(),
  state: z.enum(["open", "asked", "corrected"]),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Difference = z.infer<typeof Difference>;

export const differences = () => collection("differences", Difference);
