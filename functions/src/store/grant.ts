import type { Transaction } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { type Change, prepareChanges, type Reward, readEntitlements, writeEntitlements } from "../rewards/index.ts";
import { groundOf, isRefunded, type PurchaseFact, purchaseId, purchaseOf } from "./purchase.ts";
import { type Foretold, type Product, type Purchase, purchases } from "./records.ts";
import { settlement } from "./refund.ts";

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
  const reward = rewardOf(product, fact);
  const bought = purchaseOf(fact, { grant: reward, via }, known);
  // The price, or a part of it, may have gone back before this was heard of; and it may come again.
  const { changes, after } = settlement(id, bought);
  const prepared = await prepareChanges(tx, fact.user, [grantOf(id, bought), ...changes]);
  const purchase = after(prepared.done.slice(1));
  const holder = purchase.movedTo ?? fact.user;
  const held = await readEntitlements(tx, holder, reward.entitlements);

  if (known) tx.set(purchases().doc(id), purchase);
  else tx.create(purchases().doc(id), purchase);
  prepared.write();
  writeEntitlements(tx, held, { user: holder, id, ground: groundOf(purchase) });
  const [{ transaction } = { transaction: "" }] = prepared.done;
  const result = isRefunded(purchase) ? "refunded-before" : "granted";
  return { result, purchase: id, transaction, user: fact.user, ...(result === "granted" ? reward : {}) };
}

/** What a purchase gives, as the ledger and the inventory take it. */
function grantOf(id: string, { product, grant, house }: Purchase): Change {
  return {
    key: id,
    kind: "purchase",
    direction: "give",
    coins: grant.coins,
    items: grant.items,
    house,
    reference: `purchase:${id}`,
    metadata: { product, items: grant.items, entitlements: grant.entitlements },
  };
}

/** What nobody has paid for would be an endless source of coins; and coins that others tell of are not given twice. */
function rewardOf({ grant, grantDuringTrial, coinsFrom }: Product, { isFree }: PurchaseFact): Reward {
  if (isFree && !grantDuringTrial) return { ...grant, coins: {}, items: {} };
  return coinsFrom === "virtual-currency" ? { ...grant, coins: {} } : grant;
}
