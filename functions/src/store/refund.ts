import { prepare } from "../ledger/index.ts";
import { now } from "../platform/clock.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { afterNews, type Basis, refunded } from "./entitlement.ts";
import { basisOf, type PurchaseFact, purchaseId, purchaseOf, readEntitlements } from "./grant.ts";
import { entitlements, type Grant, type InventoryItem, inventory, type Purchase, purchases } from "./records.ts";

/**
 * Takes back what a purchase gave, as part of a Firestore transaction: coins even if they were spent (the rest is owed), items as far
 * as they are left, entitlements at once. A refund that comes before its purchase leaves a tombstone for it to meet.
 */
export async function refund(tx: Transaction, fact: PurchaseFact): Promise<Outcome> {
  const id = purchaseId(fact);
  const reference = purchases().doc(id);
  const purchase = (await tx.get(reference)).data();
  if (!purchase) {
    const nothing: Grant = { coins: {}, items: {}, entitlements: [] };
    tx.create(reference, purchaseOf(fact, { state: "tombstone", grant: nothing, via: "webhook" }));
    return { result: "refund-before-purchase", purchase: id };
  }
  if (purchase.state !== "granted") return { result: "already-refunded", purchase: id };
  return await takeBack(tx, id, purchase, basisOf(id, fact));
}

async function takeBack(tx: Transaction, id: string, purchase: Purchase, basis: Basis): Promise<Outcome> {
  const { user, grant } = purchase;
  const transaction = await prepare(tx, {
    key: `refund ${id}`,
    kind: "refund",
    postings: Object.entries(grant.coins).map(([currency, amount]) => ({
      from: user,
      to: "system:mint",
      amount,
      currency,
    })),
    reference: `purchase:${id}`,
    metadata: { product: purchase.product, items: grant.items, entitlements: grant.entitlements },
    clawBack: true,
  });
  const held = await readEntitlements(tx, user, grant.entitlements);
  const owned = await readItems(tx, user, grant.items);

  const missing = missingItems(grant.items, owned);
  transaction.write();
  for (const [item, current] of owned) {
    const quantity = Math.max(0, current.quantity - (grant.items[item] ?? 0));
    tx.set(inventory(user).doc(item), { quantity, updatedAt: timestamp() });
  }
  for (const [name, current] of held) tx.set(entitlements(user).doc(name), afterNews(current, basis, refunded(now())));
  tx.update(purchases().doc(id), {
    state: "refunded",
    updatedAt: timestamp(),
    ...(Object.keys(missing).length > 0 ? { missingItems: missing } : {}),
  });
  return { result: "refunded", purchase: id, transaction: transaction.id, user, missingItems: missing };
}

async function readItems(tx: Transaction, user: string, items: Grant["items"]): Promise<Map<string, InventoryItem>> {
  const names = Object.keys(items);
  if (names.length === 0) return new Map();
  const snapshots = await tx.getAll(...names.map((name) => inventory(user).doc(name)));
  return new Map(
    snapshots.flatMap((snapshot) => {
      const item = snapshot.data();
      return item ? [[snapshot.id, item] as const] : [];
    }),
  );
}

function missingItems(wanted: Grant["items"], owned: ReadonlyMap<string, InventoryItem>): Record<string, number> {
  const missing = Object.entries(wanted).map(
    ([item, quantity]) => [item, quantity - (owned.get(item)?.quantity ?? 0)] as const,
  );
  return Object.fromEntries(missing.filter(([, quantity]) => quantity > 0));
}
