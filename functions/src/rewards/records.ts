import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

/** `users/{uid}/inventory/{itemId}`: how many of an item a user has. */
export const InventoryItem = z.object({ quantity: z.int().nonnegative(), updatedAt: Moment });
export type InventoryItem = z.infer<typeof InventoryItem>;

export const inventory = (uid: string) => collection(`users/${uid}/inventory`, InventoryItem);

/** What an entitlement rests on: a purchase, or whatever else gives it for a time. */
export const Ground = z.object({
  product: z.string(),
  store: z.string(),
  /** Null: never. */
  endsAt: Moment.nullable(),
  willRenew: z.boolean(),
});
export type Ground = z.infer<typeof Ground>;

/** `users/{uid}/entitlements/{id}`: what a user may use. It holds while `expiresAt` is null or in the future; nothing else says so. */
export const Entitlement = z.object({
  /** By what gives it, as the id of a purchase. */
  grounds: z.record(z.string(), Ground),
  /** Of the ground that lasts longest. */
  expiresAt: Moment.nullable(),
  willRenew: z.boolean(),
  product: z.string(),
  updatedAt: Moment,
});
export type Entitlement = z.infer<typeof Entitlement>;

export const entitlements = (uid: string) => collection(`users/${uid}/entitlements`, Entitlement);
