import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";

const Whole = z.int().nonnegative();

/** `users/{uid}/limits/{productId}`: how many of a product a user has bought, if the product limits that. */
const UserLimit = z.object({ bought: Whole, updatedAt: Moment });

export const limits = (uid: string) => collection(`users/${uid}/limits`, UserLimit);

/** `shelves/hot`: what was bought most lately, most first; see hot.ts. */
const HotShelf = z.object({
  products: z.array(z.object({ product: z.string(), bought: Whole })),
  countedAt: Moment,
});
export type HotShelf = z.infer<typeof HotShelf>;

export const shelves = () => collection("shelves", HotShelf);
