import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { firestore, isAlreadyExists, transact } from "../platform/firestore.ts";
import { productOf } from "./catalog.ts";
import type { Synced } from "./contract.ts";
import { grant, type PurchaseFact, purchaseId } from "./grant.ts";
import { purchases } from "./records.ts";
import { fetchPurchases } from "./revenuecat/subscriber.ts";

/**
 * Grants at once what the caller has just bought, without waiting for the webhook: asks RevenueCat what they have and grants what is
 * not granted yet, under the webhook's key. Whichever of the two is second finds it done.
 */
export async function sync(caller: Caller): Promise<Synced> {
  const facts = await fetchPurchases(caller.uid);
  const known = await knownIds(facts);
  const results: Synced["purchases"] = [];
  for (const fact of facts) {
    const id = purchaseId(fact);
    results.push({
      product: fact.product,
      purchase: id,
      result: known.has(id) ? "already-granted" : await grantOne(fact),
    });
  }
  return { purchases: results };
}

async function knownIds(facts: readonly PurchaseFact[]): Promise<Set<string>> {
  if (facts.length === 0) return new Set();
  const snapshots = await firestore().getAll(...facts.map((fact) => purchases().doc(purchaseId(fact))));
  return new Set(snapshots.filter(({ exists }) => exists).map(({ id }) => id));
}

async function grantOne(fact: PurchaseFact): Promise<Synced["purchases"][number]["result"]> {
  const product = await productOf(fact.product);
  if (!product) return "unknown-product";
  try {
    await transact((tx) => grant(tx, fact, { product, via: "sync" }));
    return "granted";
  } catch (error) {
    if (isAlreadyExists(error)) return "already-granted";
    if (error instanceof Failure) return "refused";
    throw error;
  }
}
