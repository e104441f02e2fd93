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
    }),
  ),
});
export type Synced = z.infer<typeof Synced>;

export const DefineProduct = z.object({ id: DocumentId, product: Product });
export const DefinedProduct = z.object({ id: z.string() });
