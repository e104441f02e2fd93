import { getAll, type Transaction, timestamp } from "../platform/firestore.ts";
import { type Entitlement, entitlements, type Ground } from "./records.ts";

/** Grounds that ended long ago make room for new ones. */
const MAX_GROUNDS = 20;

/** The state of each of a user's entitlements that a job is about to change, by name. */
export function readEntitlements(
  tx: Transaction,
  user: string,
  names: readonly string[],
): Promise<Map<string, Entitlement | undefined>> {
  return getAll(tx, entitlements(user), names);
}

/** Lets entitlements rest on a ground as it is now. */
export function writeEntitlements(
  tx: Transaction,
  held: ReadonlyMap<string, Entitlement | undefined>,
  { user, id, ground }: { user: string; id: string; ground: Ground },
): void {
  for (const [name, current] of held) tx.set(entitlements(user).doc(name), withGround(current, id, ground));
}

/** An entitlement after something that gives it has changed: it holds as long as any ground does. */
export function withGround(current: Entitlement | undefined, id: string, ground: Ground): Entitlement {
  const grounds = Object.entries({ ...current?.grounds, [id]: ground })
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
