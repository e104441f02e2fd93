import { randomUUID } from "node:crypto";

/**
 * What RevenueCat keeps of customers and their purchases, as far as webhooks and `GET /v1/subscribers` show it. Times are
 * milliseconds since the epoch.
 */

const DAY_MILLIS = 86_400_000;
const MAX_CUSTOMERS = 100_000;
const MAX_PERIODS = 1_000;

export interface Purchase {
  product: string;
  readonly kind: "subscription" | "consumable";
  readonly store: string;
  readonly environment: "PRODUCTION" | "SANDBOX";
  readonly entitlements: readonly string[];
  readonly price: number;
  readonly currency: string;
  readonly days: number;
  periodType: "NORMAL" | "TRIAL" | "INTRO";
  transaction: string;
  readonly originalTransaction: string;
  purchasedAt: number;
  readonly originalPurchasedAt: number;
  expiresAt: number | undefined;
  unsubscribedAt: number | undefined;
  refundedAt: number | undefined;
  /** The store could not charge. */
  billingIssueAt: number | undefined;
  graceUntil: number | undefined;
  /** It pauses at the end of its period, until then. */
  resumesAt: number | undefined;
  /** What it renews as, if not as it is. */
  successor: string | undefined;
  /** Periods of the same subscription before this one. */
  readonly earlier: Period[];
}

/** A period that was paid for and is over. */
export interface Period {
  readonly transaction: string;
  readonly product: string;
  readonly purchasedAt: number;
  readonly expiresAt: number;
  refundedAt: number | undefined;
}

export interface Customer {
  /** The id that was there first. */
  readonly id: string;
  /** All ids that mean the customer. */
  readonly ids: Set<string>;
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

  get all(): Customer[] {
    return [...new Set(this.#customers.values())];
  }

  /** The customer of this id; made when first asked for, as RevenueCat does. */
  get(id: string): Customer {
    const known = this.#customers.get(id);
    if (known) return known;
    if (this.#customers.size >= MAX_CUSTOMERS)
      throw new Error(`the simulator keeps at most ${MAX_CUSTOMERS} customers`);
    const customer: Customer = { id, ids: new Set([id]), firstSeen: Date.now(), purchases: [] };
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
      billingIssueAt: undefined,
      graceUntil: undefined,
      resumesAt: undefined,
      successor: undefined,
      earlier: [],
    };
    this.get(id).purchases.push(purchase);
    return purchase;
  }

  /** The next period of a subscription, paid by a transaction of its own. */
  renew(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    const { transaction, purchasedAt, expiresAt = Date.now(), refundedAt } = purchase;
    purchase.earlier.push({ transaction, product: purchase.product, purchasedAt, expiresAt, refundedAt });
    if (purchase.earlier.length > MAX_PERIODS) purchase.earlier.shift();
    purchase.transaction = newTransaction();
    purchase.product = purchase.successor ?? purchase.product;
    purchase.purchasedAt = expiresAt;
    purchase.expiresAt = purchase.purchasedAt + purchase.days * DAY_MILLIS;
    purchase.periodType = "NORMAL";
    return settle(purchase);
  }

  cancel(id: string, product: string, refund: boolean): Purchase {
    const purchase = this.find(id, product);
    purchase.unsubscribedAt = Date.now();
    if (refund) purchase.refundedAt = Date.now();
    return purchase;
  }

  /** The renewal is turned on again. */
  uncancel(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    purchase.unsubscribedAt = undefined;
    purchase.resumesAt = undefined;
    return purchase;
  }

  expire(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    purchase.expiresAt = Math.min(purchase.expiresAt ?? Number.POSITIVE_INFINITY, Date.now());
    purchase.graceUntil = undefined;
    return purchase;
  }

  /** The store cannot charge; it holds for some days more, or for none. */
  fail(id: string, product: string, graceDays: number): Purchase {
    const purchase = this.find(id, product);
    purchase.billingIssueAt = Date.now();
    const end = purchase.expiresAt ?? Date.now();
    purchase.graceUntil = graceDays > 0 ? end + graceDays * DAY_MILLIS : undefined;
    return purchase;
  }

  /** It pauses when its period ends, for some days. */
  pause(id: string, product: string, days: number): Purchase {
    const purchase = this.find(id, product);
    purchase.resumesAt = (purchase.expiresAt ?? Date.now()) + days * DAY_MILLIS;
    return purchase;
  }

  extend(id: string, product: string, days: number): Purchase {
    const purchase = this.find(id, product);
    purchase.expiresAt = (purchase.expiresAt ?? Date.now()) + days * DAY_MILLIS;
    return purchase;
  }

  /** It becomes another product when it renews. */
  change(id: string, product: string, to: string): Purchase {
    const purchase = this.find(id, product);
    purchase.successor = to;
    return purchase;
  }

  /** It becomes another product at once: what it was ends now, and the new one is paid. */
  upgrade(id: string, product: string, to: string): Purchase {
    const old = this.find(id, product);
    const bought: Purchase = {
      ...old,
      product: to,
      transaction: newTransaction(),
      purchasedAt: Date.now(),
      expiresAt: Date.now() + old.days * DAY_MILLIS,
      earlier: [],
    };
    old.expiresAt = Date.now();
    this.get(id).purchases.push(settle(bought));
    return bought;
  }

  /** A refund is taken back. */
  reverse(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    purchase.refundedAt = undefined;
    return purchase;
  }

  /** The money for the period before the current one goes back, of which no webhook tells. */
  refundEarlier(id: string, product: string): Purchase {
    const purchase = this.find(id, product);
    const period = purchase.earlier.at(-1);
    if (!period) throw new UnknownPurchase(id, `${product}, before its current period`);
    period.refundedAt = Date.now();
    return purchase;
  }

  /** All that one customer has bought becomes another's. */
  transfer(from: string, to: string): void {
    const [loser, winner] = [this.get(from), this.get(to)];
    if (loser === winner) return;
    winner.purchases.push(...loser.purchases.splice(0));
  }

  /** From now on both ids mean the same customer. */
  alias(id: string, other: string): Customer {
    const [customer, joining] = [this.get(id), this.#customers.get(other)];
    for (const one of joining?.ids ?? [other]) {
      customer.ids.add(one);
      this.#customers.set(one, customer);
    }
    if (joining && joining !== customer) customer.purchases.push(...joining.purchases);
    return customer;
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

/** What a payment puts in order. */
function settle(purchase: Purchase): Purchase {
  purchase.unsubscribedAt = undefined;
  purchase.refundedAt = undefined;
  purchase.billingIssueAt = undefined;
  purchase.graceUntil = undefined;
  purchase.resumesAt = undefined;
  purchase.successor = undefined;
  return purchase;
}

function newTransaction(): string {
  return BigInt(`0x${randomUUID().replaceAll("-", "").slice(0, 12)}`).toString();
}
