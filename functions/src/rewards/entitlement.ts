import { now } from "../platform/clock.ts";
import { getAll, type Transaction, timestamp } from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import { type Entitlement, entitlements, type Ground } from "./records.ts";

/** Grounds that ended long ago make room for new ones. */
const MAX_GROUNDS = 20;
/** More than any catalog gives. */
export const MAX_ENTITLEMENTS = 100;

/** The state of each of a user's entitlements that a job is about to change, by name. */
export function readEntitlements(
  tx: Transaction,
  user: string,
  names: readonly string[],
): Promise<Map<string, Entitlement | undefined>> {
  return getAll(tx, entitlements(user), names);
}

/** All entitlements that a user ever had, by name. One read each. */
export async function readAllEntitlements(tx: Transaction, user: string): Promise<Map<string, Entitlement>> {
  const found = await tx.get(entitlements(user).limit(MAX_ENTITLEMENTS));
  return new Map(found.docs.map((document) => [document.id, document.data()]));
}

/** Lets entitlements rest on a ground as it is now. Whoever keeps something that follows from them hears of it. */
export function writeEntitlements(
  tx: Transaction,
  held: ReadonlyMap<string, Entitlement | undefined>,
  { user, id, ground }: { user: string; id: string; ground: Ground },
): void {
  writeGrounds(tx, held, { user, grounds: [{ id, ground, names: [...held.keys()] }] });
}

/** Lets entitlements rest on several grounds as they are now, each on those that name it. */
export function writeGrounds(
  tx: Transaction,
  held: ReadonlyMap<string, Entitlement | undefined>,
  { user, grounds }: { user: string; grounds: readonly { id: string; ground: Ground; names: readonly string[] }[] },
): void {
  let hasChanged = false;
  for (const [name, current] of held) {
    let next = current;
    for (const { id, ground, names } of grounds) if (names.includes(name)) next = withGround(next, id, ground);
    if (!next || next === current) continue;
    tx.set(entitlements(user).doc(name), next);
    hasChanged ||= !current || !isSameEnd(current, next);
  }
  if (!hasChanged) return;
  const about = grounds.map(({ id, ground }) => [id, ground.endsAt?.toMillis() ?? null]);
  emit(tx, { type: ENTITLEMENTS_CHANGED, key: `${user} ${JSON.stringify(about)} ${now()}`, data: { user } });
}

/** Tells that what a user may use, or until when, is not what it was. */
export const ENTITLEMENTS_CHANGED = "entitlements.changed";

/** Whether nothing has changed for who only wants to know until when it holds. */
export function isSameEnd(one: Entitlement, other: Entitlement): boolean {
  return (one.expiresAt?.toMillis() ?? null) === (other.expiresAt?.toMillis() ?? null);
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

/** Firestore knows no later moment. Source: https://firebase.google.com/docs/firestore/manage-data/data-types */
const LAST_MILLIS = Date.UTC(9999, 11, 31);

/**
 * When what is given now for a time ends, in milliseconds since the epoch: it begins when the last of these grounds ends that ends at all.
 * Null: never, where no time is said.
 */
export function endAfter(grounds: readonly Ground[], seconds: number | undefined): number | null {
  if (seconds === undefined) return null;
  const ends = grounds.map(({ endsAt }) => endsAt?.toMillis() ?? 0);
  return Math.min(LAST_MILLIS, Math.max(now(), ...ends) + seconds * 1_000);
}

/** What entitlements rest on that came from a store. */
export function groundsFrom(store: string, held: Iterable<Entitlement | undefined>): Ground[] {
  return [...held].flatMap((one) => Object.values(one?.grounds ?? {}).filter((ground) => ground.store === store));
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
