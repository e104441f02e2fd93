import * as z from "zod";
import { collection, firestore, Moment, type Query } from "../platform/firestore.ts";
import { Property } from "./definitions.ts";
import { Received } from "./reward.ts";

const Whole = z.int().nonnegative();

/** `users/{uid}/inventory/{itemId}`: how many of an item a user has. */
export const Stack = z.object({
  quantity: Whole,
  /** Of the quantity, what expires, and when. */
  lots: z.array(z.object({ quantity: z.int().positive(), expiresAt: Moment })).optional(),
  /** When the first of the lots expires. */
  expiresAt: Moment.optional(),
  updatedAt: Moment,
});
export type Stack = z.infer<typeof Stack>;

/** `users/{uid}/inventory/{itemId}:{hash}`: one unique item. */
export const Instance = z.object({
  item: z.string(),
  properties: z.record(z.string(), Property),
  /** What gave it, as `purchase:…`. */
  acquiredFrom: z.string(),
  acquiredAt: Moment,
  /** `takenBack`: by a refund, which may be undone. Not the user's any more. */
  state: z.enum(["owned", "takenBack"]),
  expiresAt: Moment.optional(),
});
export type Instance = z.infer<typeof Instance>;

const InventoryItem = z.union([Instance, Stack]);
export type InventoryItem = z.infer<typeof InventoryItem>;

export const inventory = (uid: string) => collection(`users/${uid}/inventory`, InventoryItem);

/** What everybody has: for housekeeping, which finds by `expiresAt` what has run out. */
export const everyInventory = (): Query => firestore().collectionGroup("inventory");

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

/** One draw: of which table, what came up, and the lot, below the sum of the weights, that it came up by; see roll.ts. */
const Draw = z.object({
  table: z.string(),
  entry: z.string(),
  lot: Whole,
  below: z.int().positive(),
  /** Drawn among what pity promises only. */
  isPity: z.boolean().optional(),
});
export type Draw = z.infer<typeof Draw>;

/** `rolls/{id}`: what was drawn by lot and how, never changed. Its id is that of the ledger's transaction that gave it. */
const Roll = z.object({
  user: z.string(),
  table: z.string(),
  /** How often the table was opened. */
  times: z.int().positive(),
  /** Of the table and those below it, as they were. */
  fingerprint: z.string(),
  /** Under a key of the ledger, of the idempotency key: whoever has that key can tell that nobody chose it. */
  seed: z.string(),
  /** Draws without luck before it, where the table has pity. */
  misses: Whole.optional(),
  draws: z.array(Draw),
  /** What the table gave, all draws together. */
  reward: Received,
  at: Moment,
});

export const rolls = () => collection("rolls", Roll);

/** `users/{uid}/pity/{tableId}`: how many draws in a row were none of the entries that a table promises after some. */
const Pity = z.object({ misses: Whole, updatedAt: Moment });

export const pity = (uid: string) => collection(`users/${uid}/pity`, Pity);

/** `users/{uid}/crafted/{recipeId}`: how often a user has used a recipe that has limits. */
export const Crafted = z.object({
  total: Whole,
  /** On `day`, as 2026-01-31 UTC. */
  today: Whole,
  day: z.string(),
  updatedAt: Moment,
});
export type Crafted = z.infer<typeof Crafted>;

export const crafted = (uid: string) => collection(`users/${uid}/crafted`, Crafted);
