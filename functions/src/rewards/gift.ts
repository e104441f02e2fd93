import { now } from "../platform/clock.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { emit } from "../platform/outbox.ts";
import type { Change } from "./change.ts";
import { ENTITLEMENTS_CHANGED, endAfter, isSameEnd, readEntitlements, withGround } from "./entitlement.ts";
import { type Entitlement, entitlements, type Ground } from "./records.ts";

/** Of a ground that is no purchase. */
const GIFT = "GIFT";

/**
 * Entitlements that changes themselves give, or take back. What is given for a time begins when what was given before ends; taken back is
 * all that was ever given so, from now on. Bill: a read and a write for each entitlement, and the event of the change.
 */
export async function prepareGifts(
  tx: Transaction,
  user: string,
  changes: readonly Change[],
): Promise<{ write(): void }> {
  const names = new Set(changes.flatMap((change) => change.entitlements?.entitlements ?? []));
  const before = await readEntitlements(tx, user, [...names]);
  const held = new Map(before);
  for (const change of changes) {
    for (const name of change.entitlements?.entitlements ?? []) held.set(name, after(held.get(name), change));
  }
  return {
    write: () => {
      let hasChanged = false;
      for (const [name, entitlement] of held) {
        const known = before.get(name);
        if (!entitlement || entitlement === known) continue;
        tx.set(entitlements(user).doc(name), entitlement);
        hasChanged ||= !known || !isSameEnd(known, entitlement);
      }
      const key = `${user} ${JSON.stringify(changes.map((change) => change.key))}`;
      if (hasChanged) emit(tx, { type: ENTITLEMENTS_CHANGED, key, data: { user } });
    },
  };
}

function after(current: Entitlement | undefined, change: Change): Entitlement | undefined {
  const gifts = Object.entries(current?.grounds ?? {}).filter(([, { store }]) => store === GIFT);
  if (change.direction === "takeBack") {
    const ended = gifts.filter(([, { endsAt }]) => endsAt === null || endsAt.toMillis() > now());
    return ended.reduce((left, [id, ground]) => withGround(left, id, { ...ground, endsAt: timestamp() }), current);
  }
  const end = endAfter(
    gifts.map(([, ground]) => ground),
    change.entitlements?.entitlementSeconds,
  );
  const ground: Ground = {
    product: change.reference.slice(0, 200),
    store: GIFT,
    endsAt: end === null ? null : timestamp(end),
    willRenew: false,
  };
  return withGround(current, deterministicId("gift", change.key), ground);
}
