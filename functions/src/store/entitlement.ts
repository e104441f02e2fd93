import { timestamp } from "../platform/firestore.ts";
import type { Entitlement, Ground } from "./records.ts";

/** What one purchase says about the entitlements it gives. Times are milliseconds since the epoch. */
export interface Basis {
  readonly purchase: string;
  readonly product: string;
  readonly store: string;
  readonly purchasedAt: number;
  /** Null: for ever. */
  readonly expiresAt: number | null;
}

/**
 * A ground after news of a purchase. News comes in any order, so the times of the purchases decide and not those of the news: a later
 * purchase of the product takes an earlier one's place, and what is heard of an earlier one changes nothing.
 */
type News = (ground: Ground | undefined, basis: Basis) => Ground;

/** It was bought, or renewed. */
export const bought: News = (ground, basis) => standing(ground, basis) ?? fresh(basis, basis.expiresAt !== null);

/** Its renewal was turned off; it lasts until it ends. */
export const cancelled: News = (ground, basis) => {
  const current = standing(ground, basis) ?? fresh(basis, false);
  return isSame(current, basis) ? { ...current, willRenew: false } : current;
};

/** It has run out. */
export const expired: News = (ground, basis) => {
  const current = standing(ground, basis) ?? fresh(basis, false);
  if (!isSame(current, basis)) return current;
  const end = Math.min(endOf(current), basis.expiresAt ?? basis.purchasedAt);
  return { ...current, willRenew: false, expiresAt: timestamp(end) };
};

/** It was refunded, and ends at once. */
export function refunded(at: number): News {
  return (ground, basis) => {
    if (ground?.purchase !== basis.purchase) return ground ?? { ...fresh(basis, false), expiresAt: timestamp(at) };
    return { ...ground, willRenew: false, expiresAt: timestamp(at) };
  };
}

/** Grounds that ended long ago make room for new ones. */
const MAX_GROUNDS = 20;

/** An entitlement after news of one of the purchases that give it: it holds as long as any of them does. */
export function afterNews(current: Entitlement | undefined, basis: Basis, news: News): Entitlement {
  const key = `${basis.store}:${basis.product}`;
  const all = { ...current?.grounds, [key]: news(current?.grounds[key], basis) };
  const grounds = Object.entries(all).sort(byStrength);
  const [, longest] = grounds[0] as [string, Ground];
  return {
    grounds: Object.fromEntries(grounds.slice(0, MAX_GROUNDS)),
    expiresAt: longest.expiresAt,
    willRenew: longest.willRenew,
    product: longest.product,
    updatedAt: timestamp(),
  };
}

/** The longest first; of equals one that will renew, then by name, so that the order does not depend on that of the news. */
function byStrength([a, x]: [string, Ground], [b, y]: [string, Ground]): number {
  if (endOf(x) !== endOf(y)) return endOf(x) > endOf(y) ? -1 : 1;
  if (x.willRenew !== y.willRenew) return x.willRenew ? -1 : 1;
  return a < b ? -1 : 1;
}

/** The ground, if it is of this purchase or a later one. */
function standing(ground: Ground | undefined, { purchasedAt }: Basis): Ground | undefined {
  return ground && ground.purchasedAt.toMillis() >= purchasedAt ? ground : undefined;
}

function isSame(ground: Ground, { purchasedAt }: Basis): boolean {
  return ground.purchasedAt.toMillis() === purchasedAt;
}

function endOf({ expiresAt }: Ground): number {
  return expiresAt?.toMillis() ?? Number.POSITIVE_INFINITY;
}

function fresh({ purchase, product, store, purchasedAt, expiresAt }: Basis, willRenew: boolean): Ground {
  return {
    purchase,
    product,
    store,
    purchasedAt: timestamp(purchasedAt),
    expiresAt: expiresAt === null ? null : timestamp(expiresAt),
    willRenew,
  };
}
