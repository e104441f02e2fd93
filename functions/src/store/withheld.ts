import * as z from "zod";
import { readReview } from "../fraud/index.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { give } from "./grant.ts";
import { isReceipted, isRefunded } from "./purchase.ts";
import { type Purchase, purchases } from "./records.ts";
import { tellRejected } from "./withhold.ts";

/**
 * Brings a purchase that was kept back to where its review and its refunds say, as part of a Firestore transaction; asked again, it finds it
 * there. Approved it gives what it would have given, less what has gone back by then; refunded as a whole it gives nothing, for as long as
 * that stands, and leaves nothing to decide.
 *
 * Bill: a read and a write, and what it takes to give; a write more for a review that is closed or opened again.
 */
export async function settleWithheld(tx: Transaction, id: string, purchase: Purchase): Promise<Outcome> {
  const { withheld = "review", ...rest } = purchase;
  if (withheld === "rejected") return keep(tx, id, { ...purchase, withheld });
  const review = await readReview(tx, { kind: "purchase", subject: id });
  if (review.state === "approved" && !isRefunded(purchase)) {
    const receipt = isReceipted(rest.price, rest.environment) ? { receiptDue: true as const } : {};
    const granted: Purchase = { ...rest, ...receipt, state: "granted", updatedAt: timestamp() };
    return await give(tx, id, { purchase: granted, isNew: false });
  }
  if (review.state === "rejected") {
    tellRejected(tx, id, { purchase, by: "review" });
    return keep(tx, id, { ...purchase, withheld: "rejected" });
  }
  if (isRefunded(purchase)) review.close();
  else review.reopen();
  return keep(tx, id, { ...purchase, withheld });
}

function keep(tx: Transaction, id: string, purchase: Purchase & { withheld: "review" | "rejected" }): Outcome {
  const { withheld, user } = purchase;
  const state = isRefunded(purchase) ? "refunded" : withheld;
  tx.set(purchases().doc(id), { ...purchase, state, updatedAt: timestamp() });
  return { result: state === "review" ? "in-review" : state, purchase: id, user, withheld };
}

/** The event `review.decided`, as far as the store needs it. */
const Decided = z.object({ kind: z.string(), subject: z.string() });

/** A review was decided: if it was a purchase's, that is settled. What the review says now counts, not what the event says. */
export async function decided(data: unknown): Promise<void> {
  const { kind, subject } = Decided.parse(data);
  if (kind !== "purchase") return;
  await transact(async (tx) => {
    const purchase = (await tx.get(purchases().doc(subject))).data();
    if (purchase && purchase.state !== "foretold" && purchase.withheld) await settleWithheld(tx, subject, purchase);
  });
}
