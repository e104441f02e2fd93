import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

const MAX_KINDS = 50;
const MAX_QUANTITY = 1_000_000;

const Quantity = z.int().positive();
const ItemId = z
  .string()
  .regex(/^(?!__.*__$)(?!\.+$)[\w.-]{1,100}$/, "must be letters, digits, dots, hyphens and underscores");

function fewKinds(kinds: object): boolean {
  return Object.keys(kinds).length <= MAX_KINDS;
}

/** What a purchase gives: coins by currency in smallest units, items by id, and entitlements for as long as it lasts. */
export const Grant = z.object({
  coins: z.record(z.string(), Quantity).default({}),
  items: z
    .record(ItemId, Quantity.max(MAX_QUANTITY))
    .refine(fewKinds, `must be ${MAX_KINDS} kinds at most`)
    .default({}),
  entitlements: z.array(ItemId).max(10).default([]),
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

/** When each kind of news of a purchase took effect. */
const NewsTimes = {
  renewalOffAt: Moment.optional(),
  endedAt: Moment.optional(),
  refundedAt: Moment.optional(),
};

const BoughtPurchase = z.object({
  state: z.enum(["granted", "refunded"]),
  user: z.string(),
  product: z.string(),
  store: z.string(),
  environment: z.enum(["PRODUCTION", "SANDBOX"]),
  /** The store's id of this payment. */
  transaction: z.string(),
  price: Price.optional(),
  purchasedAt: Moment,
  expiresAt: Moment.nullable(),
  ...NewsTimes,
  /** What it gave, as the catalog said at the time: a refund takes back exactly this. */
  grant: Grant,
  /** Which way it came to be known first. */
  via: z.enum(["webhook", "sync"]),
  /** Items that a refund wanted back and that were used up. */
  missingItems: z.record(z.string(), Quantity).optional(),
  updatedAt: Moment,
});
export type Purchase = z.infer<typeof BoughtPurchase>;

/** News that came before the purchase it is about. */
const ForetoldPurchase = z.object({ state: z.literal("foretold"), ...NewsTimes, updatedAt: Moment });
export type Foretold = z.infer<typeof ForetoldPurchase>;

/** `purchases/{hash of environment, store, transaction}`: one paid period or product, granted once. */
const PurchaseRecord = z.discriminatedUnion("state", [BoughtPurchase, ForetoldPurchase]);

export const purchases = () => collection("purchases", PurchaseRecord);

/** `users/{uid}/inventory/{itemId}`: how many of an item a user has. */
export const InventoryItem = z.object({ quantity: z.int().nonnegative(), updatedAt: Moment });
export type InventoryItem = z.infer<typeof InventoryItem>;

export const inventory = (uid: string) => collection(`users/${uid}/inventory`, InventoryItem);

/** What one purchase does for an entitlement. */
const Ground = z.object({
  product: z.string(),
  store: z.string(),
  /** Null: never. */
  endsAt: Moment.nullable(),
  willRenew: z.boolean(),
});
export type Ground = z.infer<typeof Ground>;

/** `users/{uid}/entitlements/{id}`: what a user may use. It holds while `expiresAt` is null or in the future; nothing else says so. */
export const Entitlement = z.object({
  /** By purchase. */
  grounds: z.record(z.string(), Ground),
  /** Of the ground that lasts longest. */
  expiresAt: Moment.nullable(),
  willRenew: z.boolean(),
  product: z.string(),
  updatedAt: Moment,
});
export type Entitlement = z.infer<typeof Entitlement>;

export const entitlements = (uid: string) => collection(`users/${uid}/entitlements`, Entitlement);
