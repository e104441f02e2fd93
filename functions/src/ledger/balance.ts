import { Failure } from "../platform/failure.ts";
import { currencyOf } from "./currencies.ts";

/** What one account holds of its currency, in smallest units; all are whole and not negative. */
export interface Balance {
  /** What can be spent. */
  readonly available: number;
  /** What is set aside and cannot be spent until it is released. */
  readonly held: number;
  /** What a clawback could not take because it had been spent; whatever comes in settles it first. */
  readonly owed: number;
}

export const EMPTY: Balance = { available: 0, held: 0, owed: 0 };

/** What the account is worth in the books: the sum of all that was ever posted to it, less all that was posted from it. */
export function total({ available, held, owed }: Balance): number {
  return available + held - owed;
}

/** Adds an amount; debts are settled first. Refuses `balance-too-large` past the currency's maximum. */
export function credit(balance: Balance, amount: number, currency: string): Balance {
  checkAmount(amount);
  const settled = Math.min(balance.owed, amount);
  const available = balance.available + amount - settled;
  if (available + balance.held > currencyOf(currency).maximumBalance) {
    throw new Failure("failed-precondition", "The account cannot hold that much.", {
      reason: "balance-too-large",
      currency,
    });
  }
  return { ...balance, available, owed: balance.owed - settled };
}

/** Takes an amount out of what is available. Refuses `insufficient-funds`; nothing is ever overdrawn. */
export function debit(balance: Balance, amount: number, currency: string): Balance {
  checkAmount(amount);
  if (balance.available < amount) {
    throw new Failure("failed-precondition", "There is not enough in the account.", {
      reason: "insufficient-funds",
      currency,
      available: balance.available,
      needed: amount,
    });
  }
  return { ...balance, available: balance.available - amount };
}

/** Takes an amount back, whatever is there; what is not there is owed. */
export function clawBack(balance: Balance, amount: number): Balance {
  checkAmount(amount);
  const taken = Math.min(balance.available, amount);
  return { ...balance, available: balance.available - taken, owed: balance.owed + amount - taken };
}

/** Refuses what is no amount: fractions, zero, negatives, and whatever a double cannot hold exactly. */
export function checkAmount(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw new Failure("invalid-argument", "An amount must be a positive whole number.", {
      reason: "invalid-amount",
      amount,
    });
  }
}
