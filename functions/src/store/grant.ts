import type { Assessment } from "../fraud/index.ts";
import type { Transaction } from "../platform/firestore.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { type Change, prepareChanges, type Reward, readEntitlements, writeEntitlements } from "../rewards/index.ts";
import { groundOf, isRefunded, type PurchaseFact, purchaseId, purchaseOf } from "./purchase.ts";
import { type Foretold, type Product, type Purchase, purchases } from "./records.ts";
import { settlement } from "./refund.ts";
import { withhold } from "./withhold.ts";

/** What becomes of a purchase by what the rules against fraud make of it. */
const STATES = { allow: "granted", review: "review", block: "rejected" } as const;

/**
 * Grants a purchase as part of a Firestore transaction: its record, one ledger transaction, the items and the entitlements, all or
 * nothing. Nothing happens twice, because the purchase's record is *created* with it. What the rules against fraud do not allow is recorded
 * and gives nothing.
 *
 * Bill: one read for each currency and entitlement; one write for the purchase, the ledger transaction, each account, item and
 * entitlement.
 * @param given.known the purchase's record, if it was looked for: a purchase is new almost always, so the first try does not look
 * @param given.assessment what the rules made of it; none: everything goes
 */
export async function grant(
  tx: Transaction,
  fact: PurchaseFact,
  given: {
    product: Product;
    via: Purchase["via"];
    known?: Purchase | Foretold | undefined;
    assessment?: Assessment | undefined;
  },
): Promise<Outcome> {
  const { product, via, known, assessment } = given;
  const id = purchaseId(fact);
  if (known && known.state !== "foretold") return { result: "already-granted", purchase: id };
  const reward = rewardOf(product, fact);
  const isNew = known === undefined;
  // What was refunded before it was heard of needs nobody's look.
  const state = assessment && !(known && isRefunded(known)) ? STATES[assessment.verdict] : "granted";
  const bought = purchaseOf(fact, { grant: reward, via, state }, known);
  const purchase = assessment ? { ...bought, assessment: assessment.id } : bought;
  if (!assessment || state === "granted") return await give(tx, id, { purchase, isNew });
  return withhold(tx, id, { purchase: { ...purchase, state, withheld: state }, isNew, assessment });
}

/** Gives what a purchase has bought and records it, as part of a Firestore transaction; see {@link grant}. */
export async function give(
  tx: Transaction,
  id: string,
  { purchase: bought, isNew }: { purchase: Purchase; isNew: boolean },
): Promise<Outcome> {
  const { user, grant: reward } = bought;
  // The price, or a part of it, may have gone back before this was heard of; and it may come again.
  const { changes, after } = settlement(id, bought);
  const prepared = await prepareChanges(tx, user, [grantOf(id, bought), ...changes]);
  const purchase = after(prepared.done.slice(1));
  const holder = purchase.movedTo ?? user;
  const held = await readEntitlements(tx, holder, reward.entitlements);

  if (isNew) tx.create(purchases().doc(id), purchase);
  else tx.set(purchases().doc(id), purchase);
  prepared.write();
  writeEntitlements(tx, held, { user: holder, id, ground: groundOf(purchase) });
  const [{ transaction } = { transaction: "" }] = prepared.done;
  const result = isRefunded(purchase) ? "refunded-before" : "granted";
  return { result, purchase: id, transaction, user, ...(result === "granted" ? reward : {}) };
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
    // It is paid for, and cannot be refused any more.
    pastMaximum: true,
    reference: `purchase:${id}`,
    metadata: { product, items: grant.items, entitlements: grant.entitlements },
  };
}

/** What nobody has paid for would be an endless source of coins; and coins that others tell of are not given twice. */
function rewardOf({ grant, grantDuringTrial, coinsFrom }: Product, { isFree }: PurchaseFact): Reward {
  if (isFree && !grantDuringTrial) return { ...grant, coins: {}, items: {} };
  return coinsFrom === "virtual-currency" ? { ...grant, coins: {} } : grant;
}
