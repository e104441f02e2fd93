import { type Transaction, timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import type { Assessment } from "./assess.ts";
import { type Review, type ReviewKind, type ReviewState, reviews } from "./records.ts";
import type { Subject } from "./subject.ts";

/** What a review is about. */
export interface Reviewed {
  readonly kind: ReviewKind;
  /** Of the purchase, withdrawal or gift. */
  readonly subject: string;
}

export function reviewId({ kind, subject }: Reviewed): string {
  return deterministicId("review", kind, subject);
}

export interface NewReview extends Reviewed {
  readonly user: string;
  readonly amount?: Subject["amount"];
  readonly facts?: Review["facts"];
}

/**
 * Opens a review as part of a transaction; the same one twice fails as any document does that is there already. Whoever opens it waits for
 * the event `review.decided`: { review, kind, subject, decision: "approved" | "rejected", by }. One write.
 */
export function openReview(
  tx: Transaction,
  { kind, subject, user, amount, facts = {} }: NewReview,
  { score, reasons }: Pick<Assessment, "score" | "reasons">,
): string {
  const id = reviewId({ kind, subject });
  tx.create(reviews().doc(id), {
    kind,
    state: "open",
    subject,
    user,
    ...(amount ? { amount: { ...amount } } : {}),
    score,
    reasons: [...reasons],
    facts,
    notes: [],
    approvals: [],
    acts: 0,
    openedAt: timestamp(),
    updatedAt: timestamp(),
  });
  return id;
}

/** A review as it stands, for whoever keeps something back until it is decided. */
export interface ReadReview {
  /** Undefined: there is none. */
  readonly state: ReviewState | undefined;
  /** Nothing is left to be decided, as when the purchase was refunded. Changes nothing but what is open. One write. */
  close(): void;
  /** There is something to be decided again. Changes nothing but what was closed. One write. */
  reopen(): void;
}

/** Reads a review as part of a transaction. One read. */
export async function readReview(tx: Transaction, reviewed: Reviewed): Promise<ReadReview> {
  const reference = reviews().doc(reviewId(reviewed));
  const review = (await tx.get(reference)).data();
  const move = (from: ReviewState, to: ReviewState) => {
    if (review?.state === from) tx.set(reference, { ...review, state: to, updatedAt: timestamp() });
  };
  return { state: review?.state, close: () => move("open", "closed"), reopen: () => move("closed", "open") };
}
