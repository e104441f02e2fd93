import { prepare } from "../ledger/index.ts";
import { FieldValue, type Transaction, timestamp } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { afterNews, type Basis, bought } from "./entitlement.ts";
import {
  type Entitlement,
  entitlements,
  type Grant,
  inventory,
  type Product,
  type Purchase,
  purchases,
} from "./records.ts";

/** A purchase as a vendor reports it. Times are milliseconds since the epoch. */
export interface PurchaseFact {
  readonly user: string;
  readonly product: string;
  /** As `APP_STORE`. */
  readonly store: string;
  readonly environment: Purchase["environment"];
  /** The store's id of this payment: of each renewal another. */
  readonly transaction: string;
  readonly purchasedAt: number;
  /** Null: for ever. */
  readonly expiresAt: number | null;
  readonly isTrial: boolean;
  readonly price: Purchase["price"];
}

/** The id of a purchase: the same whether a webhook or the app tells of it. */
export function purchaseId({
  environment,
  store,
  transaction,
}: Pick<PurchaseFact, "environment" | "store" | "transaction">): string {
  return deterministicId("purchase", environment, store, transaction);
}

export function basisOf(id: string, { product, store, purchasedAt, expiresAt }: PurchaseFact): Basis {
  return { purchase: id, product, store, purchasedAt, expiresAt };
}

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
  given: { product: Product; via: Purchase["via"]; known?: Purchase | undefined },
): Promise<Outcome> {
  const id = purchaseId(fact);
  const { product, via, known } = given;
  if (known?.state === "tombstone") return buryTombstone(tx, id, fact, via);
  if (known) return { result: "already-granted", purchase: id };
  const rewards = rewardsOf(product, fact);
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

  tx.create(purchases().doc(id), purchaseOf(fact, { state: "granted", grant: rewards, via }));
  transaction.write();
  addItems(tx, fact.user, rewards.items);
  for (const [name, current] of held) {
    tx.set(entitlements(fact.user).doc(name), afterNews(current, basisOf(id, fact), bought));
  }
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

export function purchaseOf(
  { user, product, store, environment, transaction, price, purchasedAt, expiresAt }: PurchaseFact,
  rest: Pick<Purchase, "state" | "grant" | "via">,
): Purchase {
  return {
    ...rest,
    user,
    product,
    store,
    environment,
    transaction,
    ...(price ? { price } : {}),
    purchasedAt: timestamp(purchasedAt),
    expiresAt: expiresAt === null ? null : timestamp(expiresAt),
    updatedAt: timestamp(),
  };
}

/** The refund came first: the purchase is noted as refunded and gives nothing. */
function buryTombstone(tx: Transaction, id: string, fact: PurchaseFact, via: Purchase["via"]): Outcome {
  const nothing: Grant = { coins: {}, items: {}, entitlements: [] };
  tx.set(purchases().doc(id), purchaseOf(fact, { state: "refunded", grant: nothing, via }));
  return { result: "refunded-before", purchase: id };
}

/** A trial is free, and would be an endless source of coins. */
function rewardsOf({ grant, grantDuringTrial }: Product, { isTrial }: PurchaseFact): Grant {
  return isTrial && !grantDuringTrial ? { ...grant, coins: {}, items: {} } : grant;
}

/** Adds without reading what is there. */
function addItems(tx: Transaction, user: string, items: Grant["items"]): void {
  for (const [item, quantity] of Object.entries(items)) {
    const reference = inventory(user).doc(item);
    tx.set(reference, { quantity: FieldValue.increment(quantity), updatedAt: timestamp() }, { merge: true });
  }
}
