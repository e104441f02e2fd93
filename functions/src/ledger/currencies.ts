import { Failure } from "../platform/failure.ts";
import type { Source } from "./lots.ts";

/** What an amount is counted in. Amounts are integers of the smallest unit: coins, or cents where `decimals` is 2. */
export interface Currency {
  readonly kind: "virtual" | "fiat";
  readonly name: string;
  readonly decimals: number;
  /** The most that one account may hold, in smallest units. */
  readonly maximumBalance: number;
  /** Whether users may send it to each other. */
  readonly transferable: boolean;
  /** Whether it can be spent, held or sent at all; what cannot is only ever taken back. Absent: it can. */
  readonly spendable?: boolean;
  /** Which coins can be paid out in money once they have cleared; none if the currency is for playing alone. */
  readonly redeemable: readonly Source[];
  /** In which order coins that last are spent. */
  readonly spendOrder: readonly Source[];
  /** Whether people may pay it in, and how much with one payment, in smallest units. */
  readonly topUp?: { readonly minimum: number; readonly maximum: number };
}

const GIVEN_FIRST: readonly Source[] = ["promotional", "earned", "bought"];
/** What can be paid out is spent last. */
const EARNED_LAST: readonly Source[] = ["promotional", "bought", "earned"];

/** The currencies of this backend, by code. A team adds its own here; money is changed by review, not by a database write. */
export const CURRENCIES: Readonly<Record<string, Currency>> = {
  COIN: {
    kind: "virtual",
    name: "Coins",
    decimals: 0,
    maximumBalance: 1_000_000_000_000,
    transferable: true,
    redeemable: [],
    spendOrder: GIVEN_FIRST,
  },
  GEM: {
    kind: "virtual",
    name: "Gems",
    decimals: 0,
    maximumBalance: 1_000_000_000,
    transferable: false,
    redeemable: [],
    spendOrder: GIVEN_FIRST,
  },
  /** Experience: kept like money, so that it has a history and nobody gets it twice. */
  XP: {
    kind: "virtual",
    name: "Experience",
    decimals: 0,
    maximumBalance: 1_000_000_000_000,
    transferable: false,
    spendable: false,
    redeemable: [],
    spendOrder: GIVEN_FIRST,
  },
  USD: {
    kind: "fiat",
    name: "US dollar",
    decimals: 2,
    maximumBalance: 100_000_000_00,
    transferable: false,
    redeemable: ["earned"],
    spendOrder: EARNED_LAST,
    topUp: { minimum: 1_00, maximum: 1_000_00 },
  },
  EUR: {
    kind: "fiat",
    name: "Euro",
    decimals: 2,
    maximumBalance: 100_000_000_00,
    transferable: false,
    redeemable: ["earned"],
    spendOrder: EARNED_LAST,
    topUp: { minimum: 1_00, maximum: 1_000_00 },
  },
};

export function currencyOf(code: string): Currency {
  const currency = Object.hasOwn(CURRENCIES, code) ? CURRENCIES[code] : undefined;
  if (!currency) {
    throw new Failure("invalid-argument", `There is no currency "${code}".`, {
      reason: "unknown-currency",
      currency: code,
    });
  }
  return currency;
}

/** Stripe's smallest units of these are not those of ISO 4217: https://docs.stripe.com/currencies#special-cases */
const COUNTED_DIFFERENTLY: ReadonlySet<string> = new Set(["ISK", "UGX"]);
const MONEY: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether a code of a price means money, as ISO 4217 has it, and not a currency of this house. */
export function isMoney(code: string): boolean {
  const own = Object.hasOwn(CURRENCIES, code) ? CURRENCIES[code] : undefined;
  return own ? own.kind === "fiat" : MONEY.has(code) && !COUNTED_DIFFERENTLY.has(code);
}
