import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { FieldPath, type Query, Timestamp } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { Queue, QueueRequest } from "./contract.ts";
import { type Review, reviews } from "./records.ts";

/** A page of reviews, the oldest first. One read for each. */
export async function queue(_caller: Caller, request: z.output<typeof QueueRequest>): Promise<Queue> {
  const { state, kind, assignee, limit, cursor } = request;
  let query: Query<Review> = reviews().where("state", "==", state);
  if (kind !== undefined) query = query.where("kind", "==", kind);
  if (assignee !== undefined) query = query.where("assignee", "==", assignee);
  query = query.orderBy("openedAt").orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.get();
  const last = docs.at(-1);
  return {
    reviews: docs.map((document) => row(document.id, document.data())),
    ...(last && docs.length === limit ? { nextCursor: `${last.data().openedAt.toMillis()}.${last.id}` } : {}),
  };
}

function row(id: string, review: Review): Queue["reviews"][number] {
  const { openedAt, updatedAt: _, acts: __, notes, approvals, decision, ...rest } = review;
  return {
    id,
    ...rest,
    notes: notes.map(told),
    approvals: approvals.map(told),
    ...(decision ? { decision: told(decision) } : {}),
    openedAt: openedAt.toMillis(),
  };
}

function told({ by, note, at }: Review["notes"][number]): Queue["reviews"][number]["notes"][number] {
  return { by, note, at: at.toMillis() };
}

function readCursor(cursor: string): [Timestamp, string] {
  const [, at, id = ""] = /^(\d{1,15})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [Timestamp.fromMillis(Number(at)), id];
}
