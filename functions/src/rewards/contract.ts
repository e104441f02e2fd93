import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";

const Page = {
  limit: z.int().min(1).max(100).default(100),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
};

export const InventoryRequest = z.object(Page);

/** The caller's items in the order of their ids; what is used up is left out. */
export const Inventory = z.object({
  items: z.array(z.object({ item: z.string(), quantity: z.int().positive() })),
  nextCursor: z.string().optional(),
});
export type Inventory = z.infer<typeof Inventory>;

export const EntitlementsRequest = z.object({});

/** What the caller may use, and until when; entitlements that have ended are there with `active: false`. */
export const Entitlements = z.object({
  entitlements: z.array(
    z.object({
      entitlement: z.string(),
      active: z.boolean(),
      /** Milliseconds since the epoch; null: for ever. */
      expiresAt: z.int().nullable(),
      willRenew: z.boolean(),
      product: z.string(),
    }),
  ),
});
export type Entitlements = z.infer<typeof Entitlements>;
