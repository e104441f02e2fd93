import { randomUUID } from "node:crypto";

/**
 * What RevenueCat keeps of customers and their purchases, as far as webhooks and `GET /v1/subscribers` show it. Times are
 * milliseconds since the epoch.
 */

const DAY_MILLIS = 86_400_000;
const MAX_CUSTOMERS = 100_000;

export interface Purchase {
  readonly product: string;
  readonly kind: "subscription" | "consumable";
  readonly store: string;
  readonly environment: "PRODUCTION" | "SANDBOX";
  readonly entitlements: readonly string[];
  readonly price: number;
  readonly currency: string;
  readonly days: number;
  readonly periodType: "NORMAL" | "TRIAL" | "INTRO";
  transaction: string;
  readonly originalTransaction: string;
  purchasedAt: number;
  readonly originalPurchasedAt: number;
  expiresAt: number | undefined;
  unsubscribedAt: number | undefined;
  refundedAt: number | undefined;
}

export interface Customer {
  readonly id: string;
  readonly firstSeen: number;
  readonly purchases: Purchase[];
}

/** What an app buys. */
export interface NewPurchase {
  readonly product: string;
  readonly kind: "subscription" | "consumable";
  readonly store?: string | undefined;
  readonly environment?: "PRODUCTION" | "SANDBOX" | undefined;
  readonly entitlements?: readonly string[] | undefined;
  /** In units of the currency, with a fraction, as RevenueCat has it. */
  readonly price?: number | undefined;
  readonly currency?: string | undefined;
  /** How long a period of a subscription lasts. */
  readonly days?: number | undefined;
  readonly periodType?: "NORMAL" | "TRIAL" | "INTRO" | undefined;
  /** The store's transaction; made up if absent. */
  readonly transaction?: string | undefined;
}

export class Customers {
  readonly #customers = new Map<string, Customer>();

  /** The customer of this id; made when first asked for, as RevenueCat does. */
  get(id: string): Customer {
    const known = this.#customers.get(id);
    if (known) return known;
    if (this.#customers.size >= MAX_CUSTOMERS)
      throw new Error(`the simulator keeps at most ${MAX_CUSTOMERS} customers`);
    const customer: Customer = { id, firstSeen: Date.now(), purchases: [] };
    this.#customers.set(id, customer);
    return customer;
  }

  purchase(id: string, bought: NewPurchase): Purchase {
    const now = Date.now();
    const transaction = bought.transaction ?? newTransaction();
    const days = bought.days ?? 30;
    const purchase: Purchase = {
      product: bought.product,
      kind: bought.kind,
      store: bought.store ?? "APP_STORE",
      environment: bought.environment ?? "PRODUCTION",
      entitlements: bought.entitlements ?? [],
      price: bought.price ?? 4.99,
      currency: bought.currency ?? "USD",
      days,
      periodType: bought.periodType ?? "NORMAL",
      transaction,
      originalTransaction: transaction,
      purchasedAt: now,
      originalPurchasedAt: now,
      expiresAt: bought.kind === "subscription" ? now + days * DAY_MILLIS : undefined,
      unsubscribedAt: undefined,
      refundedAt: undefined,
    };
    this.get(id).purchases.push(purchase);
    return purchase;
  }

  /** The next period of a subscription, paid by a transaction of its own. */
  renew(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    purchase.transaction = newTransaction();
    purchase.purchasedAt = purchase.expiresAt ?? Date.now();
    purchase.expiresAt = purchase.purchasedAt + purchase.days * DAY_MILLIS;
    purchase.unsubscribedAt = undefined;
    return purchase;
  }

  cancel(id: string, product: string, refund: boolean): Purchase {
    const purchase = this.find(id, product);
    purchase.unsubscribedAt = Date.now();
    if (refund) purchase.refundedAt = Date.now();
    return purchase;
  }

  expire(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    purchase.expiresAt = Math.min(purchase.expiresAt ?? Number.POSITIVE_INFINITY, Date.now());
    return purchase;
  }

  /** The customer's latest purchase of a product. */
  find(id: string, product: string): Purchase {
    const purchase = this.get(id).purchases.findLast((bought) => bought.product === product);
    if (!purchase) throw new UnknownPurchase(id, product);
    return purchase;
  }
}

export class UnknownPurchase extends Error {
  constructor(customer: string, product: string) {
    super(`Customer "${customer}" has not bought "${product}".`);
  }
}

function newTransaction(): string {
  return BigInt(`0x${randomUUID().replaceAll("-", "").slice(0, 12)}`).toString();
}
