/** What is known for sure of a storm: what was answered to have been done. What was paid is known to the vendors. */
export interface Facts {
  readonly users: readonly string[];
  /** By order, what it was for: `pack`, or money for the wallet. */
  readonly orders: Map<string, { readonly user: string; readonly isPack: boolean }>;
  /** Coins that left a user's wallet for good. */
  readonly spent: { readonly user: string; readonly coins: number }[];
  /** Items that users got for coins. */
  readonly made: { readonly user: string; readonly item: string; readonly quantity: number }[];
  /** Coins that operators gave, by transaction. */
  readonly credits: Map<string, { readonly user: string; readonly coins: number; isReversed: boolean }>;
  /** Money that was won, in cents. */
  readonly won: { readonly user: string; readonly cents: number }[];
  readonly gifts: Map<
    string,
    { readonly from: string; readonly to: string; state: "pending" | "accepted" | "declined" }
  >;
  /** Withdrawals, by id: how many cents were asked for. */
  readonly withdrawals: Map<string, { readonly user: string; readonly cents: number }>;
}

export const SWORD = { product: "sword", currency: "COIN", price: 40 } as const;
export const SHIELD = { recipe: "shield", coins: 30, quantity: 2 } as const;
/** A pack of Stripe's: a coin for each cent, so that parts of the price are parts of the coins without rounding. */
export const PACK = { product: "pack", coins: 1_000, cents: 1_000 } as const;
/** What RevenueCat sells: each gives a badge, and the club its entitlement. */
export const GEMS = { product: "rc_pack", coins: 500 } as const;
export const CLUB = { product: "rc_club", coins: 200, entitlement: "club", days: 300 } as const;

export function newFacts(users: readonly string[]): Facts {
  return {
    users,
    orders: new Map(),
    spent: [],
    made: [],
    credits: new Map(),
    won: [],
    gifts: new Map(),
    withdrawals: new Map(),
  };
}
