import * as z from "zod";

const MAX_KINDS = 50;
const MAX_QUANTITY = 1_000_000;
/** A hundred years. */
export const MAX_SECONDS = 3_155_760_000;

const Quantity = z.int().positive();
export const ItemId = z
  .string()
  .regex(/^(?!__.*__$)(?!\.+$)[\w.-]{1,100}$/, "must be letters, digits, dots, hyphens and underscores");

function fewKinds(kinds: object): boolean {
  return Object.keys(kinds).length <= MAX_KINDS;
}

/** How many of each item. */
export const Items = z
  .record(ItemId, Quantity.max(MAX_QUANTITY))
  .refine(fewKinds, `must be ${MAX_KINDS} kinds at most`)
  .default({});

/** How much of each currency, in smallest units. */
export const Coins = z.record(z.string(), Quantity).default({});

/**
 * What somebody gets: coins by currency in smallest units (experience is one of them, `XP`), items by id, and entitlements for as long as
 * what gives them lasts.
 */
export const Reward = z.object({
  coins: Coins,
  items: Items,
  entitlements: z.array(ItemId).max(10).default([]),
  /** How long the entitlements last where what gives them does not end by itself; absent: for ever. A purchase says so itself. */
  entitlementSeconds: z.int().positive().max(MAX_SECONDS).optional(),
});
export type Reward = z.infer<typeof Reward>;

/** What somebody has got in the end. Several rewards together may be more than one can say. */
export const Received = z.object({
  coins: z.record(z.string(), Quantity).default({}),
  items: z.record(z.string(), Quantity).default({}),
  entitlements: z.array(z.string()).default([]),
  entitlementSeconds: z.int().positive().optional(),
});

export const NOTHING: Reward = { coins: {}, items: {}, entitlements: [] };

/** Rewards together. Entitlements that several give last as long as the longest. */
export function sumOf(rewards: readonly Reward[]): Reward {
  const entitlements = [...new Set(rewards.flatMap((one) => one.entitlements))];
  const lengths = rewards.flatMap((one) =>
    one.entitlements.length > 0 ? [one.entitlementSeconds ?? Number.POSITIVE_INFINITY] : [],
  );
  const longest = Math.max(...lengths);
  return {
    coins: total(rewards.map(({ coins }) => coins)),
    items: total(rewards.map(({ items }) => items)),
    entitlements,
    ...(lengths.length > 0 && Number.isFinite(longest) ? { entitlementSeconds: longest } : {}),
  };
}

/** A number of times what is there of each. */
export function multiplied(quantities: Readonly<Record<string, number>>, by: number): Record<string, number> {
  return Object.fromEntries(Object.entries(quantities).map(([name, quantity]) => [name, quantity * by]));
}

/** A reward a number of times; entitlements then last that many times as long, a hundred years at most. */
export function repeated(reward: Reward, by: number): Reward {
  const { coins, items, entitlementSeconds } = reward;
  return {
    ...reward,
    coins: multiplied(coins, by),
    items: multiplied(items, by),
    ...(entitlementSeconds === undefined ? {} : { entitlementSeconds: Math.min(MAX_SECONDS, entitlementSeconds * by) }),
  };
}

/** Quantities together. */
export function total(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const one of all) {
    for (const [name, quantity] of Object.entries(one)) totals.set(name, (totals.get(name) ?? 0) + quantity);
  }
  return Object.fromEntries(totals);
}
