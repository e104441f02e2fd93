import { type Assessment, openReview } from "../fraud/index.ts";
import { prepareNotice } from "../notices/index.ts";
import type { Transaction } from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { type Purchase, purchases } from "./records.ts";

/**
 * Records a purchase that the rules against fraud keep back, as part of a Firestore transaction: nothing is given. In review it waits for
 * `review.decided`, with what it would give; rejected it is at its end, and `purchase.rejected` says so.
 *
 * Bill: a write for the purchase and one for the review or the event, and in review one for the notice to its buyer.
 */
export function withhold(
  tx: Transaction,
  id: string,
  { purchase, isNew, assessment }: { purchase: Purchase; isNew: boolean; assessment: Assessment },
): Outcome {
  const { user, state, price, product } = purchase;
  const { score, reasons } = assessment;
  if (isNew) tx.create(purchases().doc(id), purchase);
  else tx.set(purchases().doc(id), purchase);
  if (state === "rejected") tellRejected(tx, id, { purchase, by: "rules" });
  else {
    openReview(tx, { kind: "purchase", subject: id, user, amount: price }, assessment);
    prepareNotice(tx, { user, key: id, kind: "purchase-in-review", data: { purchase: id, product }, mail: true });
  }
  const result = state === "rejected" ? "rejected" : "in-review";
  return { result, purchase: id, user, score, rules: reasons.map(({ rule }) => rule) };
}

/** Tells that a purchase gives nothing, for whoever can give its money back and whoever is to be alarmed. One write. */
export function tellRejected(tx: Transaction, id: string, { purchase, by }: { purchase: Purchase; by: string }): void {
  const { user, product, store, environment, transaction } = purchase;
  emit(tx, {
    type: "purchase.rejected",
    key: id,
    data: { purchase: id, user, product, store, environment, transaction, by },
  });
}
