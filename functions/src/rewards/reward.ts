import * as z from "zod";

const MAX_KINDS = 50;
const MAX_QUANTITY = 1_000_000;

const Quantity = z.int().positive();
export const ItemId = z
  .string()
  .regex(/^(?!__.*__$)(?!\.+$)[\w.-]{1,100}$/, "must be letters, digits, dots, hyphens and underscores");

function fewKinds(kinds: object): boolean {
  return Object.keys(kinds).length <= MAX_KINDS;
}

/** What somebody gets: coins by currency in smallest units, items by id, and entitlements for as long as what gives them lasts. */
export const Reward = z.object({
  coins: z.record(z.string(), Quantity).default({}),
  items: z
    .record(ItemId, Quantity.max(MAX_QUANTITY))
    .refine(fewKinds, `must be ${MAX_KINDS} kinds at most`)
    .default({}),
  entitlements: z.array(ItemId).max(10).default([]),
});
export type Reward = z.infer<typeof Reward>;

export const NOTHING: Reward = { coins: {}, items: {}, entitlements: [] };
