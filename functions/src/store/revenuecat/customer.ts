import { getAll, type Timestamp, type Transaction } from "../../platform/firestore.ts";
import { isUid } from "../../platform/ids.ts";
import type { PurchaseFact } from "../purchase.ts";
import type { Product } from "../records.ts";
import { type Alias, aliases, aliasId } from "./records.ts";

/** RevenueCat makes these up for people who have not signed in; they mean nobody here. */
const ANONYMOUS = "$RCAnonymousID:";
/** Of a customer with more ids than this the rest is not looked up. */
const MAX_IDS = 20;
/** Further than anybody transfers what they have bought. */
const MAX_MOVES = 10;

/** RevenueCat's ids of one person. */
export interface Customer {
  readonly app_user_id: string;
  readonly original_app_user_id?: string | null | undefined;
  readonly aliases?: readonly string[] | null | undefined;
}

export function idsOf({ app_user_id, original_app_user_id, aliases: others }: Customer): string[] {
  const ids = [app_user_id, original_app_user_id, ...(others ?? [])];
  return [...new Set(ids.filter((id) => typeof id === "string"))].slice(0, MAX_IDS);
}

/** Whether an id can be a user's here. Apps log in to RevenueCat with the uid of Firebase Auth. */
export function isUser(id: string): boolean {
  return !id.startsWith(ANONYMOUS) && isUid(id);
}

/**
 * The user that RevenueCat's ids stand for: the first that is no anonymous id and can be a user's id here; else whom any of them is known
 * to mean; else undefined. Bill: nothing, or one read for each id.
 */
export async function findUser(tx: Transaction, ids: readonly string[]): Promise<string | undefined> {
  const named = ids.find(isUser);
  if (named !== undefined) return named;
  const known = await getAll<Alias>(tx, aliases(), ids.slice(0, MAX_IDS).map(aliasId));
  return [...known.values()].find((alias) => alias?.user !== undefined)?.user;
}

/**
 * Who has at last what a user had at a time, in milliseconds: whoever it was transferred to, and on from there. Bill: one read, and one
 * more for each transfer.
 */
export async function holderAfter(tx: Transaction, user: string, since: number): Promise<string> {
  let [holder, from] = [user, since];
  for (let moved = 0; moved < MAX_MOVES; moved++) {
    const move = nextMove((await tx.get(aliases().doc(aliasId(holder)))).data()?.moves ?? [], from);
    if (!move) return holder;
    [holder, from] = [move.to, move.at.toMillis() + 1];
  }
  return holder;
}

function nextMove(moves: readonly { to: string; at: Timestamp }[], since: number): Alias["moves"][number] | undefined {
  return moves.find(({ at }) => at.toMillis() >= since);
}

/**
 * A purchase with whoever it was transferred to before it was heard of. What gives no entitlements stays where it is. Bill: one read if
 * it gives any.
 */
export async function moved(tx: Transaction, fact: PurchaseFact, product: Product): Promise<PurchaseFact> {
  if (product.grant.entitlements.length === 0) return fact;
  return { ...fact, movedTo: await holderAfter(tx, fact.user, fact.purchasedAt) };
}
