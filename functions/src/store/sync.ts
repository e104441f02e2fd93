import type * as z from "zod";
import { assess } from "../fraud/index.ts";
import { config } from "../platform/config.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { firestore, isAlreadyExists, transact } from "../platform/firestore.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";
import { productOf } from "./catalog.ts";
import type { Synced, SyncRequest } from "./contract.ts";
import { grant } from "./grant.ts";
import { type PurchaseFact, purchaseId } from "./purchase.ts";
import { type Foretold, type Purchase, purchases } from "./records.ts";
import { fetchPurchases } from "./revenuecat/subscriber.ts";
import { subjectOf } from "./subject.ts";
import { waitingForPurchase } from "./waiting.ts";

type Row = Synced["purchases"][number];
type Result = Pick<Row, "result" | "withheld">;

/**
 * Grants at once what the caller has just bought, without waiting for the webhook: asks RevenueCat what they have and grants what is
 * not granted yet, under the webhook's key. Whichever of the two is second finds it done.
 */
export async function sync(caller: Caller, { device }: z.output<typeof SyncRequest> = {}): Promise<Synced> {
  const facts = await fetchPurchases(caller.uid);
  const known = await readPurchases(facts);
  const results: Synced["purchases"] = [];
  for (const fact of facts) {
    const purchase = purchaseId(fact);
    results.push({ product: fact.product, purchase, ...(await settle(fact, known.get(purchase), device)) });
  }
  // A webhook that came while the buyer was anonymous has nothing to wait for any more.
  const recorded = results.filter(({ result, withheld }) => result === "granted" || withheld);
  await Promise.all(recorded.map(({ purchase }) => retryWaitingFor(waitingForPurchase(purchase), "sync")));
  return { purchases: results };
}

async function readPurchases(facts: readonly PurchaseFact[]): Promise<Map<string, Purchase | Foretold>> {
  if (facts.length === 0) return new Map();
  const snapshots = await firestore().getAll(...facts.map((fact) => purchases().doc(purchaseId(fact))));
  return new Map(
    snapshots.flatMap((snapshot) => {
      const purchase = snapshot.data() as Purchase | Foretold | undefined;
      return purchase ? [[snapshot.id, purchase] as const] : [];
    }),
  );
}

async function settle(
  fact: PurchaseFact,
  known: Purchase | Foretold | undefined,
  device: string | undefined,
): Promise<Result> {
  if (known && known.state !== "foretold") return resultOf(known.state);
  if (isTooOld(fact)) return { result: "too-old" };
  const product = await productOf(fact.product);
  if (!product) return { result: "unknown-product" };
  try {
    const assessment = await assess(subjectOf(fact, product, { device }));
    return await grantOne(fact, { product, assessment }, known !== undefined);
  } catch (error) {
    if (error instanceof Failure) return { result: "refused" };
    throw error;
  }
}

/** By what granting it came to. */
const RESULTS: Readonly<Record<string, Result>> = {
  granted: { result: "granted" },
  "in-review": { result: "refused", withheld: "review" },
  rejected: { result: "refused", withheld: "rejected" },
};

function resultOf(state: Purchase["state"]): Result {
  return state === "review" || state === "rejected"
    ? { result: "refused", withheld: state }
    : { result: "already-granted" };
}

/** @param look whether there may be a record of the purchase already */
async function grantOne(
  fact: PurchaseFact,
  judged: Pick<Parameters<typeof grant>[2], "product" | "assessment">,
  look: boolean,
): Promise<Result> {
  try {
    const { result } = await transact(async (tx) => {
      const known = look ? (await tx.get(purchases().doc(purchaseId(fact)))).data() : undefined;
      return await grant(tx, fact, { ...judged, via: "sync", known });
    });
    return RESULTS[result] ?? { result: "already-granted" };
  } catch (error) {
    if (!look && isAlreadyExists(error)) return await grantOne(fact, judged, true);
    throw error;
  }
}

/** What was bought before a game came to this backend was given by the one before. */
function isTooOld({ purchasedAt }: PurchaseFact): boolean {
  const since = config.grantPurchasesSince.value();
  return since !== "" && purchasedAt < Date.parse(since);
}
