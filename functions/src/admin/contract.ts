import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";
import { RewrapCursor } from "../platform/keys/rewrap.ts";
import { Outcome } from "../platform/webhooks.ts";

export const KeptWebhooksRequest = z.object({
  state: z.enum(["retrying", "parked"]),
  limit: z.int().min(1).max(100).default(100),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** Webhooks that could not be carried out yet, by id. */
export const KeptWebhooks = z.object({
  webhooks: z.array(
    z.object({
      id: z.string(),
      source: z.string(),
      type: z.string(),
      attempts: z.int(),
      outcome: Outcome,
      waitingFor: z.string().optional(),
      /** Milliseconds since the epoch. */
      receivedAt: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type KeptWebhooks = z.infer<typeof KeptWebhooks>;

export const RetryWebhook = z.object({ id: DocumentId });

export const RetriedWebhook = z.object({
  state: z.enum(["done", "duplicate", "retrying", "parked"]),
  outcome: Outcome,
});
export type RetriedWebhook = z.infer<typeof RetriedWebhook>;

/** Wraps users' keys anew that are not wrapped by the current version of the house's key. */
export const RotateKeys = z.object({
  limit: z.int().min(1).max(500).default(200),
  /** `nextCursor` of the page before. */
  cursor: RewrapCursor.optional(),
});

export const RotatedKeys = z.object({
  /** The version that now wraps. */
  kek: z.string(),
  rewrapped: z.int(),
  /** Keys that do not open; the log says which and why. */
  failed: z.int(),
  /** How many keys other versions wrap. At 0 those may be retired. */
  remaining: z.int(),
  nextCursor: z.string().optional(),
});
export type RotatedKeys = z.infer<typeof RotatedKeys>;

export const AuditRequest = z.object({
  /** Only what was done to this document, as `withdrawals/abc`. */
  subject: z.string().min(1).max(500).optional(),
  /** Only what this operator did. */
  by: DocumentId.optional(),
  limit: z.int().min(1).max(100).default(50),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});

/** What operators have done, newest first. */
export const AuditPage = z.object({
  deeds: z.array(
    z.object({
      id: z.string(),
      by: z.string(),
      /** As `payouts/approve`. */
      action: z.string(),
      subject: z.string(),
      note: z.string(),
      details: z.record(z.string(), z.json()),
      /** Milliseconds since the epoch. */
      at: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type AuditPage = z.infer<typeof AuditPage>;
