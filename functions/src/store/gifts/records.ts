import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";
import { Sealed } from "../../platform/seal.ts";
import { Reward } from "../../rewards/index.ts";

/**
 * `gifts/{id}`: what one user has bought for another, until that one takes it or it goes back. Written by functions alone; both may read it, the
 * receiver once it is not in review any more, and the message is sealed with the receiver's key.
 */
const GiftRecord = z.object({
  /** `review`: an operator looks at it first, and its receiver knows nothing of it; `rejected`: and has refused it. */
  state: z.enum(["review", "pending", "accepted", "declined", "expired", "rejected"]),
  from: z.string(),
  to: z.string(),
  product: z.string(),
  /** What the receiver gets, as the catalog said when it was bought. */
  grant: Reward,
  /** The buyer's purchase, and the ledger's transaction that paid. */
  purchase: z.string(),
  paidBy: z.string(),
  /** What goes back if the gift does: of the product's stock, and of the buyer's limit. */
  picked: z.record(z.string(), z.int().positive()),
  isLimited: z.boolean(),
  message: Sealed.optional(),
  createdAt: Moment,
  /** From then on it goes back. */
  expiresAt: Moment,
  answeredAt: Moment.optional(),
});
export type Gift = z.infer<typeof GiftRecord>;

export const gifts = () => collection("gifts", GiftRecord);
