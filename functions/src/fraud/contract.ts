import * as z from "zod";
import { DocumentId, isUid } from "../platform/ids.ts";
import { ReviewKind, ReviewState } from "./records.ts";
import { Score, Settings } from "./settings.ts";

const MAX_NOTE = 2_000;
const MAX_PAGE = 100;

const Note = z.string().trim().min(1).max(MAX_NOTE);
const Uid = z.string().refine(isUid, "must be a user's id");

/** Without `settings` they are only told; with them they are replaced, what is left out by its default. */
export const FraudSettingsRequest = z.object({
  settings: Settings.optional(),
  note: z.string().max(MAX_NOTE).default(""),
});
export const FraudSettings = z.object({ settings: Settings });

/** A page of reviews, the oldest first. */
export const QueueRequest = z.object({
  state: ReviewState.default("open"),
  kind: ReviewKind.optional(),
  assignee: Uid.optional(),
  limit: z.int().min(1).max(MAX_PAGE).default(20),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});

const Act = z.object({
  by: z.string(),
  note: z.string(),
  /** Milliseconds since the epoch. */
  at: z.int(),
});

export const Queue = z.object({
  reviews: z.array(
    z.object({
      id: z.string(),
      kind: ReviewKind,
      state: ReviewState,
      /** The id of the purchase, withdrawal or gift. */
      subject: z.string(),
      user: z.string(),
      amount: z.object({ amount: z.int(), currency: z.string() }).optional(),
      score: Score,
      reasons: z.array(z.object({ rule: z.string(), score: Score, reason: z.string() })),
      facts: z.record(z.string(), z.json()),
      assignee: z.string().optional(),
      notes: z.array(Act),
      approvals: z.array(Act),
      decision: Act.optional(),
      openedAt: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Queue = z.infer<typeof Queue>;

export const DecideReview = z.object({ id: DocumentId, note: Note });

export const DecidedReview = z.object({
  state: ReviewState,
  /** How many more operators have to approve it. */
  approvalsMissing: z.int(),
});
export type DecidedReview = z.infer<typeof DecidedReview>;

export const NoteReview = z.object({ id: DocumentId, note: Note });
export const NotedReview = z.object({ notes: z.int() });

/** Null: nobody's any more. */
export const AssignReview = z.object({ id: DocumentId, to: Uid.nullable() });
export const AssignedReview = z.object({ assignee: z.string().nullable() });
