import * as z from "zod";
import { DocumentId } from "../../platform/ids.ts";
import { Reward } from "../../rewards/index.ts";
import { RequestKey } from "../shop/contract.ts";
import { normalised } from "./code.ts";
import { Promo } from "./records.ts";

const MIN_LENGTH = 4;
const MAX_CODES = 100_000;

export const DefinePromo = z.object({
  code: z
    .string()
    .max(100)
    .refine((code) => normalised(code).length >= MIN_LENGTH, `must have ${MIN_LENGTH} letters or digits at least`),
  /** Of all codes of a campaign together a user redeems as many as `perUser` says. */
  campaign: DocumentId,
  promo: Promo,
  /** For everybody together. */
  maxRedemptions: z.int().positive().optional(),
});
export const DefinedPromo = z.object({ id: z.string() });

export const GenerateCodes = z.object({
  campaign: DocumentId,
  promo: Promo,
  /** How many codes, each good for one time. */
  count: z.int().min(1).max(MAX_CODES),
  /** `nextCursor` of the page before. */
  cursor: z.int().nonnegative().default(0),
});

/** A page of codes, each a line of a CSV as it is. A page that is asked for again is the same. */
export const GeneratedCodes = z.object({ codes: z.array(z.string()), nextCursor: z.int().optional() });
export type GeneratedCodes = z.infer<typeof GeneratedCodes>;

export const RedeemRequest = z.object({
  code: z.string().min(1).max(100),
  /** For codes that one user may redeem more than once: made up for each time. */
  key: RequestKey.optional(),
});

/** What a code has given; a discount is taken by `store/buy`, which is given the code. */
export const Redeemed = z.object({
  title: z.string(),
  reward: Reward.optional(),
  discount: z.object({ product: z.string(), percent: z.int() }).optional(),
  /** Whether the same request had been carried out before. */
  repeated: z.boolean(),
});
export type Redeemed = z.infer<typeof Redeemed>;
