import { Failure } from "../platform/failure.ts";
import { type Currency, currencyOf } from "./currencies.ts";
import { addLots, cleared, type Lot, SOURCES, sum, takeLots, takeSame, withoutExpired } from "./lots.ts";

/** What one account holds of its currency, in smallest units; all are whole and not negative. */
export interface Balance {
  /** What can be spent: the sum of the lots. */
  readonly available: number;
  /** What is set aside and cannot be spent until it is released. */
  readonly held: number;
  /** What a clawback could not take because it had been spent; whatever comes in settles it first. */
  readonly owed: number;
  /** Of what the available consists. */
  readonly lots: readonly Lot[];
}

/** A balance after something was taken out of it, and which lots went. */
export interface Taken {
  readonly balance: Balance;
  readonly lots: Lot[];
}

export const EMPTY: Balance = { available: 0, held: 0, owed: 0, lots: [] };

/** What the account is worth in the books: the sum of all that was ever posted to it, less all that was posted from it. */
export function total({ available, held, owed }: Pick<Balance, "available" | "held" | "owed">): number {
  return available + held - owed;
}

/** The balance at a time: lots that had to clear have, and what has expired is taken out. */
export function atTime(balance: Balance, now: number): Taken {
  const { left, expired } = withoutExpired(cleared(balance.lots, now), now);
  return { balance: { ...balance, available: sum(left), lots: left }, lots: expired };
}

/**
 * Adds lots; debts are settled first. Refuses `balance-too-large` past the currency's maximum.
 * @param maximum another one, where the currency's does not bind
 */
export function credit(
  balance: Balance,
  added: readonly Lot[],
  currency: string,
  maximum: number = currencyOf(currency).maximumBalance,
): Balance {
  const { spendOrder } = currencyOf(currency);
  const settled = Math.min(balance.owed, sum(added));
  const { left } = takeLots(added, settled, spendOrder);
  const available = balance.available + sum(left);
  if (available + balance.held > maximum) {
    throw new Failure("failed-precondition", "The account cannot hold that much.", {
      reason: "balance-too-large",
      currency,
    });
  }
  return { ...balance, available, owed: balance.owed - settled, lots: addLots(balance.lots, left) };
}

/** What of a balance can be paid out in money: of the sources that the currency names, and cleared. */
export function redeemable({ lots }: Pick<Balance, "lots">, currency: string): number {
  return sum(lots.filter(isRedeemable(currency)));
}

/** Takes an amount out of what can be paid out in money alone. Refuses `insufficient-redeemable`. */
export function debitRedeemable(balance: Balance, amount: number, currency: string): Taken {
  checkAmount(amount);
  const available = redeemable(balance, currency);
  if (available < amount) {
    throw new Failure("failed-precondition", "There is not enough in the account that can be paid out.", {
      reason: "insufficient-redeemable",
      currency,
      available,
      needed: amount,
    });
  }
  const fits = isRedeemable(currency);
  const { taken, left } = takeLots(balance.lots.filter(fits), amount, currencyOf(currency).spendOrder);
  const lots = addLots(
    balance.lots.filter((lot) => !fits(lot)),
    left,
  );
  return { balance: { ...balance, available: balance.available - amount, lots }, lots: taken };
}

function isRedeemable(currency: string): (lot: Lot) => boolean {
  const sources = currencyOf(currency).redeemable;
  return ({ source, clearsAt }) => clearsAt === undefined && sources.includes(source);
}

/** Takes an amount out of what is available. Refuses `insufficient-funds`; nothing is ever overdrawn. */
export function debit(balance: Balance, amount: number, currency: string): Taken {
  checkAmount(amount);
  if (balance.available < amount) {
    throw new Failure("failed-precondition", "There is not enough in the account.", {
      reason: "insufficient-funds",
      currency,
      available: balance.available,
      needed: amount,
      ...(balance.owed > 0 ? { owed: balance.owed } : {}),
    });
  }
  const { taken, left } = takeLots(balance.lots, amount, currencyOf(currency).spendOrder);
  return { balance: { ...balance, available: balance.available - amount, lots: left }, lots: taken };
}

/**
 * Takes an amount back, whatever is there; what is not there is owed.
 * @param given the lots that were given: they go first, as far as they are left, then others of the same source
 */
export function clawBack(balance: Balance, amount: number, currency: string, given: readonly Lot[] = []): Taken {
  checkAmount(amount);
  const { spendOrder } = currencyOf(currency);
  const same = takeSame(balance.lots, given);
  const alike = takeAlike(same, given, spendOrder);
  const rest = Math.min(amount, balance.available) - sum(alike.taken);
  const others = takeLots(alike.left, Math.max(0, rest), spendOrder);
  const lots = addLots(alike.taken, others.taken);
  const taken = sum(lots);
  return {
    balance: {
      ...balance,
      available: balance.available - taken,
      owed: balance.owed + amount - taken,
      lots: others.left,
    },
    lots,
  };
}

type Lots = readonly Lot[];

/** Takes of each source as much as was given of it and is not among what was taken so far. */
function takeAlike(
  { taken, left }: { taken: Lots; left: Lots },
  given: Lots,
  order: Currency["spendOrder"],
): { taken: Lot[]; left: Lot[] } {
  let result = { taken: [...taken], left: [...left] };
  for (const source of SOURCES) {
    const of = (lots: Lots) => lots.filter((lot) => lot.source === source);
    const there = of(result.left);
    const wanted = Math.min(sum(of(given)) - sum(of(taken)), sum(there));
    if (wanted <= 0) continue;
    const found = takeLots(there, wanted, order);
    const others = result.left.filter((lot) => lot.source !== source);
    result = { taken: [...result.taken, ...found.taken], left: [...others, ...found.left] };
  }
  return result;
}

/** Sets aside what was taken out of the available. */
export function putAside(balance: Balance, amount: number): Balance {
  return { ...balance, held: balance.held + amount };
}

/** Takes out of what was set aside. That it is there is the hold's promise. */
export function takeFromAside(balance: Balance, amount: number): Balance {
  if (balance.held < amount) throw new RangeError(`${amount} are to leave what is held, ${balance.held}`);
  return { ...balance, held: balance.held - amount };
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
