import type * as z from "zod";
import { isAdmin } from "../platform/admins.ts";
import { writeDown } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import type { AssignReview, NoteReview } from "./contract.ts";
import { reviewOf } from "./decide.ts";
import { type Review, reviews } from "./records.ts";

const MAX_NOTES = 100;

/** Adds a note to a review, open or not; the same of the same operator once. Refuses `too-many-notes`. Bill: a read and two writes. */
export async function note(
  caller: Caller,
  { id, note: text }: z.output<typeof NoteReview>,
): Promise<{ notes: number }> {
  return await transact(async (tx) => {
    const review = await reviewOf(tx, id);
    const { notes } = review;
    if (notes.some((known) => known.by === caller.uid && known.note === text)) return { notes: notes.length };
    if (notes.length >= MAX_NOTES) {
      throw new Failure("resource-exhausted", `A review has ${MAX_NOTES} notes at most.`, {
        reason: "too-many-notes",
        limit: MAX_NOTES,
      });
    }
    const next = { ...review, notes: [...notes, { by: caller.uid, note: text, at: timestamp() }] };
    record(tx, id, { review: next, by: caller.uid, action: "note", note: text });
    return { notes: next.notes.length };
  });
}

/** Makes a review an operator's, or nobody's. Refuses whoever is no operator, and `review-closed`. Bill: a read and two writes. */
export async function assign(
  caller: Caller,
  { id, to }: z.output<typeof AssignReview>,
): Promise<{ assignee: string | null }> {
  if (to !== null && !(await isAdmin(to))) throw invalidInput("to", "This is no operator.");
  return await transact(async (tx) => {
    const review = await reviewOf(tx, id);
    if ((review.assignee ?? null) === to) return { assignee: to };
    if (review.state !== "open") {
      throw new Failure("failed-precondition", `The review is ${review.state}.`, { reason: "review-closed" });
    }
    const { assignee: before, ...rest } = review;
    const next: Review = to === null ? rest : { ...rest, assignee: to };
    record(tx, id, { review: next, by: caller.uid, action: "assign", details: { from: before ?? null, to } });
    return { assignee: to };
  });
}

interface Act {
  readonly review: Review;
  readonly by: string;
  readonly action: "note" | "assign";
  readonly note?: string;
  readonly details?: Record<string, string | null>;
}

function record(tx: Transaction, id: string, { review, by, action, ...rest }: Act): void {
  const { acts } = review;
  tx.set(reviews().doc(id), { ...review, acts: acts + 1, updatedAt: timestamp() });
  writeDown(tx, { key: `${id} ${acts}`, by, action: `fraud/${action}`, subject: `reviews/${id}`, ...rest });
}
