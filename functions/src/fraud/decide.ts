import type * as z from "zod";
import { writeDown } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import { settingsNow } from "./configure.ts";
import type { DecidedReview, DecideReview } from "./contract.ts";
import { assessments, type ReceiptOwner, type Review, receiptOwners, reviews } from "./records.ts";
import type { Settings } from "./settings.ts";
import { latest } from "./sightings.ts";
import { assessmentId, userHash } from "./subject.ts";

const TWO = 2;
const MAX_ACCEPTED = 20;

type Request = z.output<typeof DecideReview>;

/**
 * Approves what is reviewed, so that what was kept back is given; above the amount that the settings name it takes two operators. Once
 * decided, another's word is refused, `review-closed`; one's own is repeated.
 *
 * Bill: a read and three writes; two reads and a write more where a receipt was in doubt.
 */
export async function approve(caller: Caller, { id, note }: Request): Promise<DecidedReview> {
  const settings = await settingsNow();
  return await transact(async (tx) => {
    const review = await reviewOf(tx, id);
    const needed = approvalsFor(review, settings);
    if (review.approvals.some(({ by }) => by === caller.uid) && review.state !== "rejected") {
      return answer(review, needed);
    }
    checkOpen(review);
    const act = { by: caller.uid, note, at: timestamp() };
    const approvals = [...review.approvals, act];
    const isDecided = approvals.length >= needed;
    const next: Review = { ...review, approvals, ...(isDecided ? { state: "approved", decision: act } : {}) };
    const accept = isDecided ? await acceptance(tx, review) : undefined;
    record(tx, id, { review: next, action: "approve", act });
    accept?.();
    return answer(next, needed);
  });
}

/** Rejects what is reviewed: nothing is given. One operator is enough. Refuses `review-closed`. Bill: a read and three writes. */
export async function reject(caller: Caller, { id, note }: Request): Promise<DecidedReview> {
  return await transact(async (tx) => {
    const review = await reviewOf(tx, id);
    if (review.state === "rejected" && review.decision?.by === caller.uid) return answer(review, 0);
    checkOpen(review);
    const act = { by: caller.uid, note, at: timestamp() };
    const next: Review = { ...review, state: "rejected", decision: act };
    record(tx, id, { review: next, action: "reject", act });
    return answer(next, 0);
  });
}

/** A review; refuses `unknown-review`. */
export async function reviewOf(tx: Transaction, id: string): Promise<Review> {
  const review = (await tx.get(reviews().doc(id))).data();
  if (!review) throw new Failure("not-found", `There is no review "${id}".`, { reason: "unknown-review" });
  return review;
}

function checkOpen({ state }: Review): void {
  if (state === "open") return;
  throw new Failure("failed-precondition", `The review is ${state}.`, { reason: "review-closed", state });
}

function approvalsFor({ amount }: Review, { fourEyesAbove }: Settings): number {
  const above = amount && Object.hasOwn(fourEyesAbove, amount.currency) ? fourEyesAbove[amount.currency] : undefined;
  return amount && above !== undefined && amount.amount > above ? TWO : 1;
}

function answer({ state, approvals }: Review, needed: number): DecidedReview {
  return { state, approvalsMissing: state === "open" ? Math.max(0, needed - approvals.length) : 0 };
}

function record(
  tx: Transaction,
  id: string,
  { review, action, act }: { review: Review; action: "approve" | "reject"; act: Review["approvals"][number] },
): void {
  const { kind, subject, state, acts } = review;
  tx.set(reviews().doc(id), { ...review, acts: acts + 1, updatedAt: timestamp() });
  writeDown(tx, {
    key: `${id} ${acts}`,
    by: act.by,
    action: `fraud/${action}`,
    subject: `reviews/${id}`,
    note: act.note,
    details: { state, kind, subject },
  });
  if (state === "open") return;
  emit(tx, { type: "review.decided", key: id, data: { review: id, kind, subject, decision: state, by: act.by } });
}

/** Whoever may have a receipt may have what else comes of it. Undefined where no receipt was in doubt. */
async function acceptance(tx: Transaction, review: Review): Promise<(() => void) | undefined> {
  const { kind, subject, reasons } = review;
  if (kind === "refund-after-transfer" || kind === "score" || !reasons.some(({ rule }) => rule === "receipt-reused"))
    return undefined;
  const assessment = (await tx.get(assessments().doc(assessmentId({ kind, id: subject })))).data();
  if (assessment?.receipt === undefined) return undefined;
  const reference = receiptOwners().doc(assessment.receipt);
  const owner = (await tx.get(reference)).data();
  if (!owner) return undefined;
  const accepted = latest(owner.accepted, userHash(review.user), MAX_ACCEPTED);
  const next: ReceiptOwner = { ...owner, accepted, updatedAt: timestamp() };
  return () => tx.set(reference, next);
}
