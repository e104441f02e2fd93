import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";

const Whole = z.int().nonnegative();

/** `{path}/stock/{n}`: a part of what there is of something for everybody together, so that many can take of it at once. */
const Shard = z.object({
  /** How many of all are here; `sold` is never more. */
  allotted: Whole,
  sold: Whole,
});
export type Shard = z.infer<typeof Shard>;

/** @param path the document of what there is only so much of, as `catalog/{productId}` */
export const shards = (path: string) => collection(`${path}/stock`, Shard);

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
