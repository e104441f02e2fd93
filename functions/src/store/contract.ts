import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";
import { Product } from "./records.ts";

export const SyncRequest = z.object({
  /** The app's instance, as Firebase Analytics or Installations name it: many purchases on one are looked at. */
  device: z.string().min(1).max(200).optional(),
});

/** What became of each purchase that the store knows of, newest first. */
export const Synced = z.object({
  purchases: z.array(
    z.object({
      product: z.string(),
      purchase: z.string(),
      result: z.enum(["granted", "already-granted", "unknown-product", "too-old", "refused"]),
      /** Refused for now: somebody has a look at it first, and may then give it. Or `rejected`, for good. */
      withheld: z.enum(["review", "rejected"]).optional(),
      /** Its money has gone back, and so has what it gave. */
      refunded: z.boolean().optional(),
    }),
  ),
});
export type Synced = z.infer<typeof Synced>;

export const DefineProduct = z.object({ id: DocumentId, product: Product });
export const DefinedProduct = z.object({ id: z.string() });

/** Compares a page of what RevenueCat has sold with what it says now. */
export const Reconcile = z.object({
  /** `nextCursor` of the page before. */
  cursor: z
    .string()
    .regex(/^(purchasedAt|expiresAt):[\w-]{0,100}$/)
    .optional(),
  /** Only says what it would set right. */
  dryRun: z.boolean().default(true),
});

export const Reconciled = z.object({
  /** Purchases that were looked at. */
  checked: z.int(),
  differences: z.array(
    z.object({
      id: z.string(),
      /** `missing`, `holder`, `refunded`, `end`, `renewal`, `grace`, `pause`, `not-listed`, `unanswered`; more may come. */
      kind: z.string(),
      purchase: z.string(),
      ours: z.string(),
      theirs: z.string(),
    }),
  ),
  nextCursor: z.string().optional(),
});
