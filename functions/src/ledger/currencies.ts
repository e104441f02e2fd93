import { Failure } from "../platform/failure.ts";

/** What an amount is counted in. Amounts are integers of the smallest unit: coins, or cents where `decimals` is 2. */
export interface Currency {
  readonly kind: "virtual" | "fiat";
  readonly name: string;
  readonly decimals: number;
  /** The most that one account may hold, in smallest units. */
  readonly maximumBalance: number;
  /** Whether users may send it to each other. */
  readonly transferable: boolean;
}

/** The currencies of this backend, by code. A team adds its own here; money is changed by review, not by a database write. */
export const CURRENCIES: Readonly<Record<string, Currency>> = {
  COIN: { kind: "virtual", name: "Coins", decimals: 0, maximumBalance: 1_000_000_000_000, transferable: true },
  GEM: { kind: "virtual", name: "Gems", decimals: 0, maximumBalance: 1_000_000_000, transferable: false },
  USD: { kind: "fiat", name: "US dollar", decimals: 2, maximumBalance: 100_000_000_00, transferable: false },
  EUR: { kind: "fiat", name: "Euro", decimals: 2, maximumBalance: 100_000_000_00, transferable: false },
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
