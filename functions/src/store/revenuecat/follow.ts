import { assess, noteTransfer } from "../../fraud/index.ts";
import { config } from "../../platform/config.ts";
import { Failure } from "../../platform/failure.ts";
import { firestore, isAlreadyExists, transact } from "../../platform/firestore.ts";
import { productOf } from "../catalog.ts";
import { grant } from "../grant.ts";
import { hear } from "../hear.ts";
import { groundOf, type PurchaseFact, purchaseId } from "../purchase.ts";
import { type Foretold, type Product, type Purchase, purchases } from "../records.ts";
import { subjectOf } from "../subject.ts";
import { moved } from "./customer.ts";
import { disagreements } from "./differences.ts";
import type { Fetched, Listed } from "./subscriber.ts";
import { takeOver } from "./transfer.ts";

/** What became of a purchase that RevenueCat lists. */
export type Settled = "granted" | "already-granted" | "unknown-product" | "too-old" | "refused";

/** One thing that is not here as it is at RevenueCat. */
export interface Difference {
  readonly id: string;
  readonly kind:
    | "missing"
    | "holder"
    | "refunded"
    | "end"
    | "renewal"
    | "grace"
    | "pause"
    | "not-listed"
    | "unanswered";
  readonly purchase: string;
  readonly ours: string;
  readonly theirs: string;
}

export interface Followed {
  readonly fact: PurchaseFact;
  readonly purchase: string;
  /** Undefined for what was refunded before it was ever known here. */
  readonly result: Settled | undefined;
  /** Refused, for now or for good, by the rules against fraud. */
  readonly withheld?: "review" | "rejected";
  /** What it gave was taken back, since its money was. */
  readonly isRefunded?: boolean;
  readonly differences: readonly Difference[];
}

/** What is known here of purchases, by id. One read each. */
async function readPurchases(ids: readonly string[]): Promise<Map<string, Purchase | Foretold>> {
  if (ids.length === 0) return new Map();
  const snapshots = await firestore().getAll(...ids.map((id) => purchases().doc(id)));
  return new Map(
    snapshots.flatMap((snapshot) => {
      const purchase = snapshot.data() as Purchase | Foretold | undefined;
      return purchase ? [[snapshot.id, purchase] as const] : [];
    }),
  );
}

/**
 * Brings what is known here of one customer's purchases to how they stand at RevenueCat: grants what is missing, under the webhooks' keys,
 * takes back what was refunded, moves ends. What was told after RevenueCat was asked stands.
 * Bill: one read for each purchase that is known; else what a webhook that told it would be billed.
 * @param dryRun only says what it would do
 */
export async function follow({ listed, asOf }: Fetched, dryRun = false, device?: string): Promise<Followed[]> {
  const known = await readPurchases(listed.map(({ fact }) => purchaseId(fact)));
  const followed: Followed[] = [];
  for (const one of listed) {
    const purchase = purchaseId(one.fact);
    const current = known.get(purchase);
    const step = { purchase, asOf, dryRun, device };
    followed.push(
      current && current.state !== "foretold"
        ? await settleKnown(one, current, step)
        : await settleNew(one, current !== undefined, step),
    );
  }
  return followed;
}

interface Step {
  readonly purchase: string;
  readonly asOf: number;
  readonly dryRun: boolean;
  /** Which of the user's devices asks. */
  readonly device: string | undefined;
}

async function settleKnown(listed: Listed, known: Purchase, { purchase, asOf, dryRun }: Step): Promise<Followed> {
  const { fact } = listed;
  const found = disagreements(known, listed, asOf);
  const differences = found.map(({ kind, ours, theirs }) => differenceOf(purchase, { kind, ours, theirs }));
  const holder = known.movedTo ?? known.user;
  const hasMoved = holder !== fact.user && known.grant.entitlements.length > 0 && isRunning(known, asOf);
  if (hasMoved) differences.push(differenceOf(purchase, { kind: "holder", ours: holder, theirs: fact.user }));
  if (!dryRun) {
    if (hasMoved) {
      await transact(async (tx) => {
        const remember = await noteTransfer(tx, [holder], fact.user);
        await takeOver(tx, purchase, { holder: fact.user, at: asOf });
        remember();
      });
    }
    for (const { news } of found) await transact((tx) => hear(tx, purchase, news));
  }
  if (known.withheld) return { fact, purchase, result: "refused", withheld: known.withheld, differences };
  const isRefunded = known.state === "refunded" || found.some(({ kind }) => kind === "refunded");
  return { fact, purchase, result: "already-granted", isRefunded, differences };
}

function isRunning(purchase: Purchase, at: number): boolean {
  const { endsAt } = groundOf(purchase);
  return endsAt === null || endsAt.toMillis() > at;
}

async function settleNew(listed: Listed, look: boolean, { purchase, asOf, dryRun, device }: Step): Promise<Followed> {
  const { fact, refundedAt } = listed;
  if (refundedAt !== undefined) return { fact, purchase, result: undefined, differences: [] };
  const missing = [differenceOf(purchase, { kind: "missing", ours: "none", theirs: fact.product })];
  const product = isTooOld(fact) ? undefined : await productOf(fact.product);
  if (!product) {
    return { fact, purchase, result: isTooOld(fact) ? "too-old" : "unknown-product", differences: [] };
  }
  if (dryRun) return { fact, purchase, result: undefined, differences: missing };
  const tried = await tryGrant(fact, { product, device }, look);
  const { result } = tried;
  if (result !== "granted") return { fact, purchase, ...tried, differences: [] };
  // How it stands by now is more than that it was bought.
  const bought = (await readPurchases(needsLook(listed) ? [purchase] : [])).get(purchase);
  if (bought && bought.state !== "foretold") await settleKnown(listed, bought, { purchase, asOf, dryRun, device });
  return { fact, purchase, result, differences: missing };
}

function needsLook({ isSubscription, renews, graceUntil, resumesAt }: Listed): boolean {
  return isSubscription && (!renews || graceUntil !== undefined || resumesAt !== undefined);
}

type Granted = Pick<Followed, "withheld"> & { readonly result: Settled };

async function tryGrant(
  fact: PurchaseFact,
  { product, device }: { product: Product; device: string | undefined },
  look: boolean,
): Promise<Granted> {
  try {
    const assessment = await assess(subjectOf(fact, product, { device }));
    return await grantOne(fact, { product, assessment }, look);
  } catch (error) {
    if (error instanceof Failure) return { result: "refused" };
    throw error;
  }
}

/** By what granting it came to. */
const RESULTS: Readonly<Record<string, Granted>> = {
  granted: { result: "granted" },
  "in-review": { result: "refused", withheld: "review" },
  rejected: { result: "refused", withheld: "rejected" },
};

/** @param look whether there may be a record of the purchase already */
async function grantOne(
  fact: PurchaseFact,
  judged: Pick<Parameters<typeof grant>[2], "product" | "assessment">,
  look: boolean,
): Promise<Granted> {
  try {
    const { result } = await transact(async (tx) => {
      const known = look ? (await tx.get(purchases().doc(purchaseId(fact)))).data() : undefined;
      return await grant(tx, await moved(tx, fact, judged.product), { ...judged, via: "sync", known });
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

export function differenceOf(
  purchase: string,
  { kind, ours, theirs }: Pick<Difference, "kind" | "ours" | "theirs">,
): Difference {
  return { id: `${purchase}-${kind}`, kind, purchase, ours, theirs };
}
