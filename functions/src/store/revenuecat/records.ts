import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";

/**
 * `aliases/{hash of RevenueCat's id of a customer}`: whom an anonymous id stands for, or where what a user had bought has gone. Most
 * customers have none.
 */
const Alias = z.object({
  /** The user that an anonymous id has turned out to mean. */
  user: z.string().optional(),
  /** To whom all that the customer had bought by then was transferred, oldest first. */
  moves: z.array(z.object({ to: z.string(), at: Moment })).default([]),
  updatedAt: Moment,
});
export type Alias = z.infer<typeof Alias>;

export const aliases = () => collection("aliases", Alias);

/** The document of a customer's id. The id itself, which may be anything, is not kept. */
export function aliasId(customer: string): string {
  return deterministicId("customer", customer);
}

/** `temporaries/{hash of store and transaction}`: what RevenueCat believed an app about before it could ask the store. */
const Temporary = z.object({
  user: z.string(),
  product: z.string(),
  store: z.string(),
  entitlements: z.array(z.string()),
  endsAt: Moment,
  updatedAt: Moment,
});
export type Temporary = z.infer<typeof Temporary>;

export const temporaries = () => collection("temporaries", Temporary);

/** `adjustments/{hash of RevenueCat's id}`: a transaction of its virtual currencies that was followed. */
const Adjustment = z.object({ user: z.string(), updatedAt: Moment });

export const adjustments = () => collection("adjustments", Adjustment);

/** `storeReconciliations/revenuecat`: how far the comparison of purchases with RevenueCat has come. */
const Reconciliation = z.object({
  /** Where the next run goes on; absent: from the start. */
  cursor: z.string().optional(),
  /** Of the last run. */
  checked: z.int().nonnegative(),
  differences: z.int().nonnegative(),
  updatedAt: Moment,
});

export const storeReconciliations = () => collection("storeReconciliations", Reconciliation);
