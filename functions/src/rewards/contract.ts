import * as z from "zod";
import { DocumentId, isUid } from "../platform/ids.ts";
import { Item, MAX_INSTANCES, Property, Recipe, Table } from "./definitions.ts";
import { ItemId, Received, Reward } from "./reward.ts";

const Page = {
  limit: z.int().min(1).max(100).default(100),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
};

export const InventoryRequest = z.object(Page);

/** What the caller has, in the order of ids; what is used up or has expired is left out. Times are milliseconds since the epoch. */
export const Inventory = z.object({
  items: z.array(
    z.object({
      item: z.string(),
      quantity: z.int().positive(),
      /** When the first of them expires; absent: none does. */
      expiresAt: z.int().optional(),
    }),
  ),
  /** Unique items; absent if there are none on the page. */
  instances: z
    .array(
      z.object({
        instance: z.string(),
        item: z.string(),
        properties: z.record(z.string(), Property),
        acquiredFrom: z.string(),
        acquiredAt: z.int(),
        expiresAt: z.int().optional(),
      }),
    )
    .optional(),
  nextCursor: z.string().optional(),
});
export type Inventory = z.infer<typeof Inventory>;

export const EntitlementsRequest = z.object({});

/** What the caller may use, and until when; entitlements that have ended are there with `active: false`. */
export const Entitlements = z.object({
  entitlements: z.array(
    z.object({
      entitlement: z.string(),
      active: z.boolean(),
      /** Milliseconds since the epoch; null: for ever. */
      expiresAt: z.int().nullable(),
      willRenew: z.boolean(),
      product: z.string(),
    }),
  ),
});
export type Entitlements = z.infer<typeof Entitlements>;

/** Chosen by the app, once for each thing that is to happen once; the caller's own. */
const Key = z.string().min(1).max(200);
const Count = z.int().min(1).max(1_000).default(1);

/** Uses up some of a stack (`item`), or one unique item (`instance`). */
export const ConsumeRequest = z
  .object({ key: Key, item: ItemId.optional(), instance: DocumentId.optional(), count: Count })
  .refine(({ item, instance }) => (item === undefined) !== (instance === undefined), {
    path: ["item"],
    message: "Name an item or an instance.",
  })
  .refine(({ instance, count }) => instance === undefined || count === 1, {
    path: ["count"],
    message: "There is only one of an instance.",
  });

/** Unique items that are given up, by id: all that the recipe asks for. */
const Instances = z.array(DocumentId).max(MAX_INSTANCES).default([]);

export const CraftRequest = z.object({ key: Key, recipe: ItemId, count: Count, instances: Instances });
export const ExchangeRequest = z.object({ key: Key, exchange: ItemId, count: Count, instances: Instances });

/** What came of it; the same however often it is asked for under its key. */
export const Acted = z.object({
  /** The id of the ledger's transaction. */
  transaction: z.string(),
  reward: Received,
  /** Ids of the unique items among it. */
  instances: z.array(z.string()),
  /** The id in `rolls/`, if a table was drawn from. */
  roll: z.string().optional(),
});
export type Acted = z.infer<typeof Acted>;

export const OddsRequest = z.object({ table: ItemId });

/** By table, of the one that was asked for and those that its entries name: how each draw comes out, as long as pity does not step in. */
export const Odds = z.object({
  tables: z.record(
    z.string(),
    z.object({
      title: z.string(),
      draws: z.int(),
      replacement: z.boolean(),
      guaranteed: Reward.optional(),
      entries: z.array(
        z.object({
          id: z.string(),
          /** Of the first draw, from 0 to 1. */
          chance: z.number(),
          reward: Reward.optional(),
          table: z.string().optional(),
        }),
      ),
      /** After so many draws in a row that were none of these entries, the next is one. */
      pity: z.object({ entries: z.array(z.string()), after: z.int() }).optional(),
    }),
  ),
});
export type Odds = z.infer<typeof Odds>;

export const DefineItem = z.object({ id: ItemId, item: Item });
export const DefineTable = z.object({ id: ItemId, table: Table });
export const DefineRecipe = z.object({ id: ItemId, recipe: Recipe });
export const Defined = z.object({ id: z.string() });

const User = z.string().refine(isUid, "must be a user's id");
/** Why, for those who read the books later. */
const Note = z.string().min(1).max(400);

export const GrantRequest = z.object({ key: Key, user: User, reward: Reward, note: Note });
export const TakeRequest = z.object({
  key: Key,
  user: User,
  taken: Reward.omit({ entitlementSeconds: true }),
  note: Note,
});

/** What was taken; `missingItems` is what was not there any more. */
export const Taken = z.object({ transaction: z.string(), missingItems: z.record(z.string(), z.int()) });
export type Taken = z.infer<typeof Taken>;
