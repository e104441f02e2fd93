import { timestamp } from "../platform/firestore.ts";
import type { Entitlement, Ground } from "./records.ts";

/** Grounds that ended long ago make room for new ones. */
const MAX_GROUNDS = 20;

/** An entitlement after one of the purchases that give it has changed: it holds as long as any of them does. */
export function withGround(current: Entitlement | undefined, purchase: string, ground: Ground): Entitlement {
  const grounds = Object.entries({ ...current?.grounds, [purchase]: ground })
    .sort(byStrength)
    .slice(0, MAX_GROUNDS);
  const [, strongest] = grounds[0] as [string, Ground];
  return {
    grounds: Object.fromEntries(grounds),
    expiresAt: strongest.endsAt,
    willRenew: strongest.willRenew,
    product: strongest.product,
    updatedAt: timestamp(),
  };
}

/** The longest first; of equals one that will renew, then by id, so that the order does not depend on that of the news. */
function byStrength([a, x]: [string, Ground], [b, y]: [string, Ground]): number {
  if (endOf(x) !== endOf(y)) return endOf(x) > endOf(y) ? -1 : 1;
  if (x.willRenew !== y.willRenew) return x.willRenew ? -1 : 1;
  return a < b ? -1 : 1;
}

function endOf({ endsAt }: Ground): number {
  return endsAt?.toMillis() ?? Number.POSITIVE_INFINITY;
}
