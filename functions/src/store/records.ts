import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";
import { Reward } from "../rewards/index.ts";

const Quantity = z.int().positive();

/** `catalog/{productId}`: what is sold, and what a store's product means here. The id is the store's own. Written by operators. */
export const Product = z.object({
  title: z.string().min(1).max(200),
  description: z.string().max(2_000).optional(),
  grant: Reward,
  /** Whether a free trial already gives the coins and items; the entitlement it gives in any case. */
  grantDuringTrial: z.boolean().default(false),
  /**
   * Which news gives the coins: that it was bought, unless said otherwise, or what RevenueCat's virtual currencies tell of it. Never both,
   * for they tell of the same coins.
   */
  coinsFrom: z.enum(["purchase", "virtual-currency"]).optional(),
  /** What it costs, by currency, in smallest units: virtual currencies are paid from the wallet, money through Stripe. */
  prices: z.record(z.string(), Quantity).optional(),
  /** Sold through Stripe as a subscription that renews after so many intervals. */
  subscription: z
    .object({
      interval: z.enum(["day", "week", "month", "year"]),
      count: z.int().min(1).max(52).default(1),
      trialDays: z.int().min(1).max(730).optional(),
    })
    .optional(),
  limits: z
    .object({
      /** How many there are, for everybody together. */
      stock: Quantity.optional(),
      /** How many one user may have bought. */
      perUser: Quantity.optional(),
    })
    .optional(),
  /** When it is on sale, in milliseconds since the epoch; an end left out is open. */
  offer: z.object({ from: z.int().positive().optional(), until: z.int().positive().optional() }).optional(),
  /** Where it is sold, as ISO 3166-1 alpha-2 codes; everywhere if left out. */
  countries: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .max(250)
    .optional(),
});
export type Product = z.infer<typeof Product>;

export const catalog = () => collection("catalog", Product);

const Price = z.object({
  /** In the currency's smallest unit. */
  amount: z.int(),
  /** ISO 4217. */
  currency: z.string(),
});

/** A card, or what was used like one. */
export const Card = z.object({
  /** Stripe's: the same for the same number, whoever uses it. */
  fingerprint: z.string().optional(),
  /** Where it was issued, as ISO 3166-1 alpha-2. */
  country: z.string().optional(),
  /** As `credit`, `debit`, `prepaid`. */
  funding: z.string().optional(),
});
export type Card = z.infer<typeof Card>;

/** How much of the price has gone back to the buyer, as of a time. */
export const Refund = z.object({
  /** Of `of` units; 1 of 1 where the vendor does not say how much. 0: what had gone back was paid after all. */
  amount: z.int().nonnegative(),
  of: z.int().positive(),
  /** By the seller's will or by the buyer's bank. */
  by: z.enum(["refund", "chargeback"]),
  at: Moment,
});
export type Refund = z.infer<typeof Refund>;

/** What is heard of a purchase besides that it was made. Of each kind the latest counts, whatever the order in which it is heard. */
const News = {
  /** Whether it will renew: turned off, or on again. */
  renewal: z.object({ isOn: z.boolean(), at: Moment }).optional(),
  /** When it ran out. */
  endedAt: Moment.optional(),
  /** The end that the store has moved it to. */
  extension: z.object({ expiresAt: Moment, at: Moment }).optional(),
  /** Until when it holds although the renewal could not be charged. */
  graceUntil: Moment.optional(),
  /** It pauses when it ends, and goes on by itself then; null: when its owner says so. A renewal turned on later takes it back. */
  pause: z.object({ resumesAt: Moment.nullable(), at: Moment }).optional(),
  /** What it goes on as, if not as it is. */
  successor: z.object({ product: z.string(), at: Moment }).optional(),
  refund: Refund.optional(),
};

/** A transaction of the ledger that took back a part of what a purchase gave, and still stands. */
const TakenBack = z.object({
  transaction: z.string(),
  coins: z.record(z.string(), Quantity),
  items: z.record(z.string(), Quantity),
  /** Of the items those that were used up. */
  missingItems: z.record(z.string(), Quantity).optional(),
});
export type TakenBack = z.infer<typeof TakenBack>;

const BoughtPurchase = z.object({
  /** `review` and `rejected`: kept back by the rules against fraud, and so nothing was given. `refunded`: all of it went back. */
  state: z.enum(["granted", "review", "rejected", "refunded"]),
  user: z.string(),
  /** Who has the entitlements now, if the vendor has moved the purchase to another user. */
  movedTo: z.string().optional(),
  /** As of when it was moved last: what the vendor said of its holder before is over. */
  movedAt: Moment.optional(),
  /** Through whom it was sold, where that is not the store itself. */
  vendor: z.enum(["revenuecat"]).optional(),
  product: z.string(),
  store: z.string(),
  environment: z.enum(["PRODUCTION", "SANDBOX"]),
  /** The store's id of this payment. */
  transaction: z.string(),
  price: Price.optional(),
  /** Money that was paid into the wallet, which its coins are: they come from there, and go back. Absent: the mint. */
  house: z.literal("system:stripe").optional(),
  /** What paid, as far as the vendor says. */
  card: Card.optional(),
  purchasedAt: Moment,
  expiresAt: Moment.nullable(),
  ...News,
  /** What it gave, as the catalog said at the time: a refund takes back exactly this. */
  grant: Reward,
  /** What of it went back, oldest first. */
  takenBack: z.array(TakenBack).optional(),
  /** Nothing was given yet: it waits for a review, or was rejected. What it comes to when a refund of it is undone. */
  withheld: z.enum(["review", "rejected"]).optional(),
  /** What the rules against fraud made of it: a document of `assessments`. */
  assessment: z.string().optional(),
  /** How often something went back or forth: tells the transactions of this apart. */
  changes: z.int().nonnegative().optional(),
  /** Which way it came to be known first. */
  via: z.enum(["webhook", "sync", "wallet"]),
  /** Bought with the wallet: tells a repeated request from another one under the same key. */
  fingerprint: z.string().optional(),
  /** Of the wallet's: the ledger's transaction that paid. */
  paidBy: z.string().optional(),
  /** Of the wallet's: it was given away, as this gift. */
  gift: z.string().optional(),
  /** Its receipt is still to be numbered; see receipts/. */
  receiptDue: z.literal(true).optional(),
  /** The number of its receipt. */
  receipt: z.string().optional(),
  updatedAt: Moment,
});
export type Purchase = z.infer<typeof BoughtPurchase>;

/** News that came before the purchase it is about. */
const ForetoldPurchase = z.object({ state: z.literal("foretold"), ...News, updatedAt: Moment });
export type Foretold = z.infer<typeof ForetoldPurchase>;

/** `purchases/{hash of environment, store, transaction}`: one paid period or product, granted once. */
const PurchaseRecord = z.discriminatedUnion("state", [BoughtPurchase, ForetoldPurchase]);

export const purchases = () => collection("purchases", PurchaseRecord);
