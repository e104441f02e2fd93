import { timestamp } from "../platform/firestore.ts";
import type { Entitlement } from "./records.ts";

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
 * An entitlement after a purchase has become known. News comes in any order, so the times of the purchases decide, not those of the
 * news: a later purchase takes an earlier one's place, an earlier one changes nothing but never shortens what is left.
 */
export function afterPurchase(current: Entitlement | undefined, basis: Basis): Entitlement {
  if (!current || current.purchasedAt.toMillis() < basis.purchasedAt) return fresh(basis, basis.expiresAt !== null);
  return current;
}

/** An entitlement after its subscription was told not to renew: it lasts until it ends. */
export function afterCancellation(current: Entitlement | undefined, basis: Basis): Entitlement {
  if (!current || current.purchasedAt.toMillis() < basis.purchasedAt) return fresh(basis, false);
  if (current.purchasedAt.toMillis() > basis.purchasedAt) return current;
  return { ...current, willRenew: false, updatedAt: timestamp() };
}

/** An entitlement after its subscription has run out, or, with `endsAt`, after its purchase was refunded at that time. */
export function afterEnd(current: Entitlement | undefined, basis: Basis, endsAt = basis.expiresAt): Entitlement {
  if (current && current.purchasedAt.toMillis() > basis.purchasedAt) return current;
  return { ...fresh(basis, false), expiresAt: timestamp(endsAt ?? basis.purchasedAt) };
}

function fresh({ purchase, product, store, purchasedAt, expiresAt }: Basis, willRenew: boolean): Entitlement {
  return {
    expiresAt: expiresAt === null ? null : timestamp(expiresAt),
    willRenew,
    product,
    store,
    purchase,
    purchasedAt: timestamp(purchasedAt),
    updatedAt: timestamp(),
  };
}
