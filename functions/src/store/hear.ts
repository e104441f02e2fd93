import { type Prepared, prepare } from "../ledger/index.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { readEntitlements, writeEntitlements } from "./grant.ts";
import { type News, withNews } from "./purchase.ts";
import { type Foretold, type Grant, type InventoryItem, inventory, type Purchase, purchases } from "./records.ts";

const RESULTS: Record<News["kind"], string> = { renewalOff: "will-not-renew", ended: "expired", refunded: "refunded" };

/**
 * Takes in what is heard of a purchase, as part of a Firestore transaction. A refund takes back what the purchase gave: coins even if
 * they were spent (the rest is owed), items as far as they are left, entitlements at once. News that comes before its purchase is
 * noted for it to meet.
 */
export async function hear(tx: Transaction, id: string, news: News): Promise<Outcome> {
  const reference = purchases().doc(id);
  const known = (await tx.get(reference)).data();
  if (!known) {
    const foretold: Foretold = { state: "foretold", updatedAt: timestamp() };
    tx.create(reference, withNews(foretold, news));
    return { result: "foretold", purchase: id, news: RESULTS[news.kind] };
  }
  const next = withNews(known, news);
  if (next.state === "foretold") {
    tx.set(reference, next);
    return { result: "foretold", purchase: id, news: RESULTS[news.kind] };
  }
  if (next.state === "refunded") return { result: "already-refunded", purchase: id };
  return await change(tx, id, { purchase: next, news });
}

async function change(
  tx: Transaction,
  id: string,
  { purchase, news }: { purchase: Purchase; news: News },
): Promise<Outcome> {
  const { user, grant } = purchase;
  const refund = news.kind === "refunded" ? await prepareRefund(tx, id, purchase) : undefined;
  const held = await readEntitlements(tx, user, grant.entitlements);

  writeEntitlements(tx, held, { id, purchase });
  tx.set(purchases().doc(id), refund ? { ...purchase, state: "refunded", ...refund.missing } : purchase);
  refund?.write();
  return {
    result: RESULTS[news.kind],
    purchase: id,
    user,
    entitlements: grant.entitlements,
    ...(refund ? { transaction: refund.transaction.id, ...refund.missing } : {}),
  };
}

interface Refund {
  readonly transaction: Prepared;
  /** Items that should go back and are used up. */
  readonly missing: Pick<Purchase, "missingItems">;
  write(): void;
}

async function prepareRefund(tx: Transaction, id: string, { user, grant, product }: Purchase): Promise<Refund> {
  const transaction = await prepare(tx, {
    key: `refund ${id}`,
    kind: "refund",
    postings: Object.entries(grant.coins).map(([currency, amount]) => ({
      from: user,
      to: "system:mint",
      amount,
      currency,
      lots: [{ source: "bought", amount }],
    })),
    reference: `purchase:${id}`,
    metadata: { product, items: grant.items, entitlements: grant.entitlements },
    clawBack: true,
  });
  const owned = await readItems(tx, user, grant.items);
  const missing = missingItems(grant.items, owned);
  return {
    transaction,
    missing: Object.keys(missing).length > 0 ? { missingItems: missing } : {},
    write: () => {
      transaction.write();
      for (const [item, current] of owned) {
        const quantity = Math.max(0, current.quantity - (grant.items[item] ?? 0));
        tx.set(inventory(user).doc(item), { quantity, updatedAt: timestamp() });
      }
    },
  };
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
