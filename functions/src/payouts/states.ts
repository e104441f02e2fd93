/** The life of a withdrawal: which state may follow which, and where its money is in each. */

export const STATES = [
  "requested",
  "review",
  "approved",
  "held",
  "transferring",
  "transferred",
  "paying",
  "paid",
  "failed",
  "reversing",
  "returned",
  "rejected",
  "canceled",
] as const;
export type State = (typeof STATES)[number];

/**
 * What may follow a state.
 *
 * - `requested` is asked for, and within the limits; `review` waits for operators; `approved` may go.
 * - `held`: its coins are set aside. `transferring`: Stripe may have been told to send them to the user's account there, `transferred`: it has.
 * - `paying`: Stripe may have been told to send them to the user's bank, `paid`: it says that they are there. A bank may send them back even
 *   then: https://docs.stripe.com/payouts#payout-failures
 * - `failed`: they are back in the user's account at Stripe. `reversing`: Stripe may have been told to send them back to us, `returned`: it has,
 *   and the coins are the user's again.
 * - `rejected` and `canceled` never left.
 */
export const NEXT: Readonly<Record<State, readonly State[]>> = {
  requested: ["review", "approved", "rejected", "canceled"],
  review: ["approved", "rejected", "canceled"],
  approved: ["held", "rejected", "canceled"],
  held: ["transferring", "rejected", "canceled"],
  transferring: ["transferred", "rejected"],
  transferred: ["paying"],
  paying: ["paid", "failed"],
  paid: ["failed"],
  failed: ["reversing"],
  reversing: ["returned"],
  returned: [],
  rejected: [],
  canceled: [],
};

/** Where the coins of a withdrawal are in our books. */
export type Place = "wallet" | "hold" | "gone";

/** Where entering a state puts the coins; where they were, if it is not named. */
export const PUTS: Readonly<Partial<Record<State, Place>>> = {
  held: "hold",
  paid: "gone",
  returned: "wallet",
  rejected: "wallet",
  canceled: "wallet",
};

/** States before Stripe has heard of the withdrawal, in which its owner may think better of it. */
export const CANCELABLE: ReadonlySet<State> = new Set(["requested", "review", "approved", "held"]);

export function mayFollow(from: State, to: State): boolean {
  return NEXT[from].includes(to);
}

export function isOver(state: State): boolean {
  return NEXT[state].length === 0;
}
