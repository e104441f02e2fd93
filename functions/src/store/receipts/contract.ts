import * as z from "zod";

export const ReceiptRequest = z.object({
  number: z.string().regex(/^\d{4}-\d{6,12}$/, "must be the number of a receipt"),
});

/** A receipt of the caller's. */
export const ReceiptView = z.object({
  number: z.string(),
  purchase: z.string(),
  product: z.string(),
  store: z.string(),
  /** In smallest units. */
  price: z.object({ amount: z.int(), currency: z.string() }),
  /** Null as long as nobody has said what tax is in the price. */
  tax: z.object({ rate: z.string(), amount: z.int(), country: z.string() }).nullable(),
  /** Milliseconds since the epoch. */
  purchasedAt: z.int(),
  issuedAt: z.int(),
});
export type ReceiptView = z.infer<typeof ReceiptView>;
