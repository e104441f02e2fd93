import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

const Quantity = z.int().positive();

/** What a purchase gives: coins by currency in smallest units, items by id, and entitlements for as long as it lasts. */
export const Grant = z.object({
  coins: z.record(z.string(), Quantity).default({}),
  items: z.record(z.string(), Quantity).default({}),
  entitlements: z.array(z.string().min(1).max(100)).max(10).default([]),
});
export type Grant = z.infer<typeof Grant>;

/** `catalog/{productId}`: what a store's product means here. The id is the store's own. Written by operators. */
export const Product = z.object({
  title: z.string().min(1).max(200),
  grant: Grant,
  /** Whether a free trial already gives the coins and items; the entitlement it gives in any case. */
  grantDuringTrial: z.boolean().default(false),
});
export type Product = z.infer<typeof Product>;

export const catalog = () => collection("catalog", Product);

const Price = z.object({
  /** In the currency's smallest unit. */
  amount: z.int(),
  /** ISO 4217. */
  currency: z.string(),
});

/** `purchases/{hash of environment, store, transaction}`: one paid period or product, granted once. */
export const Purchase = z.object({
  /** `tombstone`: its refund came before it did. */
  state: z.enum(["granted", "refunded", "tombstone"]),
  user: z.string(),
  product: z.string(),
  store: z.string(),
  environment: z.enum(["PRODUCTION", "SANDBOX"]),
  /** The store's id of this payment. */
  transaction: z.string(),
  price: Price.optional(),
  purchasedAt: Moment,
  expiresAt: Moment.nullable(),
  /** What it gave, as the catalog said at the time: a refund takes back exactly this. */
  grant: Grant,
  /** Which way it came to be known first. */
  via: z.enum(["webhook", "sync"]),
  /** Items that a refund wanted back and that were used up. */
  missingItems: z.record(z.string(), Quantity).optional(),
  updatedAt: Moment,
});
export type Purchase = z.infer<typeof Purchase>;

export const purchases = () => collection("purchases", Purchase);

/** `users/{uid}/inventory/{itemId}`: how many of an item a user has. */
export const InventoryItem = z.object({ quantity: z.int().nonnegative(), updatedAt: Moment });
export type InventoryItem = z.infer<typeof InventoryItem>;

export const inventory = (uid: string) => collection(`users/${uid}/inventory`, InventoryItem);

/** A purchase that gives an entitlement: the latest of one product in one store. */
export const Ground = z.object({
  purchase: z.string(),
  product: z.string(),
  store: z.string(),
  purchasedAt: Moment,
  /** Null: for ever. */
  expiresAt: Moment.nullable(),
  willRenew: z.boolean(),
});
export type Ground = z.infer<typeof Ground>;

/** `users/{uid}/entitlements/{id}`: what a user may use. It holds while `expiresAt` is null or in the future; nothing else says so. */
export const Entitlement = z.object({
  /** By store and product. */
  grounds: z.record(z.string(), Ground),
  /** Of the ground that lasts longest. */
  expiresAt: Moment.nullable(),
  willRenew: z.boolean(),
  product: z.string(),
  updatedAt: Moment,
});
export type Entitlement = z.infer<typeof Entitlement>;

export const entitlements = (uid: string) => collection(`users/${uid}/entitlements`, Entitlement);
