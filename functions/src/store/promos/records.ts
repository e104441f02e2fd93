import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";
import { DocumentId } from "../../platform/ids.ts";
import { Reward } from "../../rewards/index.ts";

const MAX_PER_USER = 20;

/** What a code is good for. */
export const Promo = z.object({
  title: z.string().min(1).max(200),
  gives: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("reward"), reward: Reward }),
    /** So much less for each of a product, bought with the wallet, rounded in the house's favour. */
    z.object({ kind: z.literal("discount"), product: DocumentId, percent: z.int().min(1).max(99) }),
  ]),
  /** When it can be redeemed, in milliseconds since the epoch; an end left out is open. */
  from: z.int().positive().optional(),
  until: z.int().positive().optional(),
  /** How often one user may redeem codes of the campaign. */
  perUser: z.int().min(1).max(MAX_PER_USER).default(1),
});
export type Promo = z.infer<typeof Promo>;

/** `promos/{hash of the code}`: one code. Written by operators; a single one says itself who has used it. */
const PromoCode = z.object({
  /** Counts together what users redeem. */
  campaign: z.string(),
  promo: Promo,
  /** How often it may be redeemed by everybody together; counted in `stock/`. Left out: without end. */
  maxRedemptions: z.int().positive().optional(),
  /** One of many that are good for one time each. */
  single: z.boolean(),
  usedBy: z.string().optional(),
  usedAt: Moment.optional(),
});
export type PromoCode = z.infer<typeof PromoCode>;

export const promos = () => collection("promos", PromoCode);

/** `campaigns/{id}`: codes that were made in bulk, and the secret that they are made from, so that each can be shown again. */
const Campaign = z.object({
  promo: Promo,
  count: z.int().positive(),
  /** How many have been made. */
  made: z.int().nonnegative(),
  seed: z.base64url(),
  /** Tells a repeated request from another one for the same campaign. */
  fingerprint: z.string(),
  createdAt: Moment,
});
export type Campaign = z.infer<typeof Campaign>;

export const campaigns = () => collection("campaigns", Campaign);

/** `users/{uid}/redemptions/{campaign}`: what a user has redeemed of a campaign, by key of the request. */
const Redemptions = z.object({
  done: z.record(z.string(), z.object({ transaction: z.string(), at: Moment })),
  updatedAt: Moment,
});
export type Redemptions = z.infer<typeof Redemptions>;

export const redemptions = (uid: string) => collection(`users/${uid}/redemptions`, Redemptions);

/** `users/{uid}/attempts/codes`: wrong codes that a user has tried since a time. */
const Attempts = z.object({ failed: z.int().nonnegative(), since: Moment });

export const attempts = (uid: string) => collection(`users/${uid}/attempts`, Attempts);
