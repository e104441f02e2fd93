import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";

const Price = z.object({ amount: z.int().positive(), currency: z.string() });

/** A numbered receipt for a purchase. Never changed. */
const NumberedReceipt = z.object({
  /** As `2026-000123`: the year, and the place in it, without gaps. */
  number: z.string(),
  user: z.string(),
  purchase: z.string(),
  product: z.string(),
  store: z.string(),
  price: Price,
  /** Open until somebody who knows what has to be on it fills them in. */
  tax: z.object({ rate: z.string(), amount: z.int(), country: z.string() }).nullable(),
  purchasedAt: Moment,
  issuedAt: Moment,
});

/** `receipts/series-{year}`: how many receipts of a year there are. Read and written by one task at a time. */
const Series = z.object({ last: z.int().nonnegative(), updatedAt: Moment });

export const receipts = () => collection("receipts", NumberedReceipt);
/** In the same collection: no number begins like it. */
export const series = () => collection("receipts", Series);
