import { prepare } from "../ledger/index.ts";
import { FieldValue, type Transaction, timestamp } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { withGround } from "./entitlement.ts";
import { groundOf, type PurchaseFact, purchaseId, purchaseOf } from "./purchase.ts";
import {
  type Entitlement,
  entitlements,
  type Foretold,
  type Grant,
  inventory,
  type Product,
  type Purchase,
  purchases,
} from "./records.ts";

const NOTHING: Grant = { coins: {}, items: {}, entitlements: [] };

/**
 * Grants a purchase as part of a Firestore transaction: its record, one ledger transaction, the items and the entitlements, all or
 * nothing. Nothing happens twice, because the purchase's record is *created* with it.
 *
 * Bill: one read for each currency and entitlement; one write for the purchase, the ledger transaction, each account, item and
 * entitlement.
 * @param known the purchase's record, if it was looked for: a purchase is new almost always, so the first try does not look
 */
export async function grant(
  tx: Transaction,
  fact: PurchaseFact,
  given: { product: Product; via: Purchase["via"]; known?: Purchase | Foretold | undefined },
): Promise<Outcome> {
  const { product, via, known } = given;
  const id = purchaseId(fact);
  if (known && known.state !== "foretold") return { result: "already-granted", purchase: id };
  if (known?.refundedAt) {
    tx.set(purchases().doc(id), purchaseOf(fact, { grant: NOTHING, via }, known));
    return { result: "refunded-before", purchase: id };
  }
  const rewards = rewardsOf(product, fact);
  const purchase = purchaseOf(fact, { grant: rewards, via }, known);
  const transaction = await prepare(tx, {
    key: id,
    kind: "purchase",
    postings: Object.entries(rewards.coins).map(([currency, amount]) => ({
      from: "system:mint",
      to: fact.user,
      amount,
      currency,
    })),
    reference: `purchase:${id}`,
    metadata: { product: fact.product, items: rewards.items, entitlements: rewards.entitlements },
  });
  const held = await readEntitlements(tx, fact.user, rewards.entitlements);

  if (known) tx.set(purchases().doc(id), purchase);
  else tx.create(purchases().doc(id), purchase);
  transaction.write();
  addItems(tx, fact.user, rewards.items);
  writeEntitlements(tx, held, { id, purchase });
  return { result: "granted", purchase: id, transaction: transaction.id, user: fact.user, ...rewards };
}

/** The state of each of a user's entitlements that a job is about to change, by name. */
export async function readEntitlements(
  tx: Transaction,
  user: string,
  names: readonly string[],
): Promise<Map<string, Entitlement | undefined>> {
  if (names.length === 0) return new Map();
  const snapshots = await tx.getAll(...names.map((name) => entitlements(user).doc(name)));
  return new Map(snapshots.map((snapshot) => [snapshot.id, snapshot.data()]));
}

/** Lets entitlements rest on a purchase as it is now. */
export function writeEntitlements(
  tx: Transaction,
  held: ReadonlyMap<string, Entitlement | undefined>,
  { id, purchase }: { id: string; purchase: Purchase },
): void {
  for (const [name, current] of held) {
    tx.set(entitlements(purchase.user).doc(name), withGround(current, id, groundOf(purchase)));
  }
}

/** What nobody has paid for would be an endless source of coins. */
function rewardsOf({ grant, grantDuringTrial }: Product, { isFree }: PurchaseFact): Grant {
  return isFree && !grantDuringTrial ? { ...grant, coins: {}, items: {} } : grant;
}

/** Adds without reading what is there. */
function addItems(tx: Transaction, user: string, items: Grant["items"]): void {
  for (const [item, quantity] of Object.entries(items)) {
    const reference = inventory(user).doc(item);
    tx.set(reference, { quantity: FieldValue.increment(quantity), updatedAt: timestamp() }, { merge: true });
  }
}
