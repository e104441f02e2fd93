import type Stripe from "stripe";
import { type Context, keep, now } from "./context.ts";
import { newId } from "./ids.ts";

/**
 * Each account's money by currency: what is available and what is still pending. Nothing moves but by a balance transaction, so a
 * balance is always the sum of them. Amounts are in the currency's smallest unit.
 * https://docs.stripe.com/reports/balance-transaction-types
 */

export interface Posting {
  readonly type: Stripe.BalanceTransaction.Type;
  readonly amount: number;
  readonly currency: string;
  readonly source: string;
  readonly fees?: readonly Stripe.BalanceTransaction.FeeDetail[];
  readonly description?: string | null;
  /** Seconds since the epoch; at once if absent. */
  readonly availableOn?: number;
}

export interface Money {
  available: number;
  pending: number;
}

/** Reports read differently from transactions: https://docs.stripe.com/reports/reporting-categories */
const CATEGORIES: Readonly<Record<string, string>> = {
  adjustment: "dispute",
  application_fee: "platform_earning",
  application_fee_refund: "platform_earning_refund",
  payment: "charge",
  payment_failure_refund: "charge_failure",
  payment_refund: "refund",
  payout_failure: "payout_reversal",
  transfer_refund: "transfer_reversal",
};

export class Ledger {
  readonly #accounts = new Map<string, Map<string, Money>>();
  /** Still pending, by account, the first to become available first. */
  readonly #pending = new Map<string, Stripe.BalanceTransaction[]>();
  readonly #onFunds: (context: Context, availableOn: number) => void;

  /** `onFunds` hears of each account's money and when it becomes available. */
  constructor(onFunds: (context: Context, availableOn: number) => void) {
    this.#onFunds = onFunds;
  }

  post(context: Context, posting: Posting): Stripe.BalanceTransaction {
    const { type, amount, currency, source, fees = [], description = null } = posting;
    const created = now(context);
    const available_on = Math.max(created, posting.availableOn ?? created);
    const fee = fees.reduce((sum, detail) => sum + detail.amount, 0);
    const transaction: Stripe.BalanceTransaction = {
      id: newId("txn"),
      object: "balance_transaction",
      amount,
      available_on,
      balance_type: "payments",
      created,
      currency,
      description,
      exchange_rate: null,
      fee,
      fee_details: [...fees],
      net: amount - fee,
      reporting_category: CATEGORIES[type] ?? type,
      source,
      status: available_on > created ? "pending" : "available",
      type,
    };
    keep(context, "balance_transaction", transaction);
    this.#add(context.account, transaction);
    this.#onFunds(context, available_on);
    return transaction;
  }

  /** Each currency the account has ever had. */
  balance(context: Context): ReadonlyMap<string, Readonly<Money>> {
    this.#mature(context);
    return this.#accounts.get(context.account ?? "") ?? new Map();
  }

  money(context: Context, currency: string): Readonly<Money> {
    return this.balance(context).get(currency) ?? { available: 0, pending: 0 };
  }

  /** When the next pending money becomes available. */
  nextAvailable({ account }: Context): number | undefined {
    return this.#pending.get(account ?? "")?.[0]?.available_on;
  }

  #add(account: string | undefined, transaction: Stripe.BalanceTransaction): void {
    const money = this.#moneyOf(account, transaction.currency);
    if (transaction.status === "available") {
      money.available += transaction.net;
      return;
    }
    money.pending += transaction.net;
    const waiting = this.#pending.get(account ?? "") ?? [];
    this.#pending.set(account ?? "", waiting);
    const place = waiting.findLastIndex(({ available_on }) => available_on <= transaction.available_on) + 1;
    waiting.splice(place, 0, transaction);
  }

  /** Makes available what has waited long enough. */
  #mature(context: Context): void {
    const waiting = this.#pending.get(context.account ?? "") ?? [];
    const time = now(context);
    const firstYoung = waiting.findIndex(({ available_on }) => available_on > time);
    for (const transaction of waiting.splice(0, firstYoung < 0 ? waiting.length : firstYoung)) {
      transaction.status = "available";
      const money = this.#moneyOf(context.account, transaction.currency);
      money.pending -= transaction.net;
      money.available += transaction.net;
    }
  }

  #moneyOf(account: string | undefined, currency: string): Money {
    const currencies = this.#accounts.get(account ?? "") ?? new Map<string, Money>();
    this.#accounts.set(account ?? "", currencies);
    const money = currencies.get(currency) ?? { available: 0, pending: 0 };
    currencies.set(currency, money);
    return money;
  }
}
