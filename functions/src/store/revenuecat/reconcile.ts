import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { FieldPath, type Query, timestamp, transact } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { hear } from "../hear.ts";
import { purchaseId, WHOLE } from "../purchase.ts";
import { type Foretold, type Purchase, purchases } from "../records.ts";
import { type Difference, differenceOf, type Followed, follow } from "./follow.ts";
import { canFetchPeriods, fetchReturned } from "./periods.ts";
import { storeReconciliations } from "./records.ts";
import { fetchCustomer } from "./subscriber.ts";

/** Purchases of so long ago are compared each time round, and subscriptions as long as they run. */
const DAYS = 35;
const DAY_MILLIS = 86_400_000;
/** Customers are asked for one after the other: RevenueCat counts what it is asked. */
const PAGE = 50;
/** A run ends in time for its function; the next goes on where it was. */
const MAX_RUN_MILLIS = 20 * 60_000;
const MAX_PAGES = 1_000;
/** Of a page; past it RevenueCat is taken for down, and the next run goes on here. */
const MAX_UNANSWERED = 5;
/** What was bought just now may be on its way. */
const SETTLED_MILLIS = 3_600_000;

/** Both walks, one after the other: what was bought lately, then what was bought earlier and still runs. */
const WALKS = ["purchasedAt", "expiresAt"] as const;
type Walk = (typeof WALKS)[number];

export interface Page {
  /** Purchases that were looked at. */
  readonly checked: number;
  readonly differences: readonly Difference[];
  /** Absent at the end. */
  readonly nextCursor?: string;
}

/**
 * A page of comparing what RevenueCat has sold with what RevenueCat says of it now. What is missing is granted, what was refunded is taken
 * back, moved ends are moved, each under the keys of the webhooks that should have told it; what RevenueCat does not list any more is only
 * reported, since nothing tells why, and so is of whom RevenueCat does not answer. Throws `revenuecat-unavailable` if that goes on.
 *
 * Bill: a read for each purchase, and one for each that RevenueCat lists of its buyer; what is set right as its webhook.
 */
export async function reconcile({ cursor, dryRun }: { cursor?: string | undefined; dryRun: boolean }): Promise<Page> {
  const place = placeOf(cursor);
  const { docs } = await (await queryOf(place)).get();
  const page = docs.map((document) => [document.id, document.data()] as const);
  const differences: Difference[] = [];
  let unanswered = 0;
  for (const [user, ours] of byHolder(page)) {
    try {
      differences.push(...(await compare(user, ours, dryRun)));
    } catch (error) {
      if (!isUnavailable(error) || ++unanswered >= MAX_UNANSWERED) throw error;
      // One customer whom RevenueCat cannot tell of does not keep the others from being compared.
      differences.push(
        ...ours.map(([id]) => differenceOf(id, { kind: "unanswered", ours: "known", theirs: "no answer" })),
      );
    }
  }
  const last = docs.at(-1);
  const next = docs.length < PAGE ? following(place.walk) : { walk: place.walk, after: last?.id };
  return {
    checked: page.length,
    differences,
    ...(next ? { nextCursor: `${next.walk}:${next.after ?? ""}` } : {}),
  };
}

/** Goes on where the last run ended, until everything was compared or the time is up. For a schedule. */
export async function reconcileRevenueCat(): Promise<{ checked: number; differences: number }> {
  const reference = storeReconciliations().doc("revenuecat");
  const end = now() + MAX_RUN_MILLIS;
  let cursor = (await reference.get()).data()?.cursor;
  let [checked, differences] = [0, 0];
  for (let pages = 0; pages < MAX_PAGES && now() < end; pages++) {
    const page = await reconcile({ cursor, dryRun: false });
    checked += page.checked;
    differences += page.differences.length;
    for (const { id: difference, kind, purchase, ours, theirs } of page.differences) {
      log.warn("RevenueCat says otherwise", { difference, kind, purchase, ours, theirs });
    }
    cursor = page.nextCursor;
    await reference.set({ ...(cursor ? { cursor } : {}), checked, differences, updatedAt: timestamp() });
    if (cursor === undefined) break;
  }
  return { checked, differences };
}

/** A page of it, for an operator to look at, and to set right if it is no dry run. */
export async function reconcileByHand(
  caller: Caller,
  request: { cursor?: string | undefined; dryRun: boolean },
): Promise<{ checked: number; differences: Difference[]; nextCursor?: string }> {
  log.info("reconciled by hand", { by: caller.uid, dryRun: request.dryRun });
  const { differences, ...page } = await reconcile(request);
  return { ...page, differences: [...differences] };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Failure && error.reason === "revenuecat-unavailable";
}

interface Place {
  readonly walk: Walk;
  /** The id of the purchase to go on behind. */
  readonly after: string | undefined;
}

function placeOf(cursor = ""): Place {
  const [walk, after] = cursor.split(":", 2);
  return { walk: WALKS.find((name) => name === walk) ?? WALKS[0], after: after === "" ? undefined : after };
}

function following(walk: Walk): Place | undefined {
  return walk === "purchasedAt" ? { walk: "expiresAt", after: undefined } : undefined;
}

async function queryOf({ walk, after }: Place): Promise<Query<Purchase | Foretold>> {
  const since = timestamp(walk === "purchasedAt" ? now() - DAYS * DAY_MILLIS : now());
  const query = purchases()
    .where("vendor", "==", "revenuecat")
    .where(walk, ">", since)
    .orderBy(walk)
    .orderBy(FieldPath.documentId())
    .limit(PAGE);
  if (after === undefined) return query;
  const last = await purchases().doc(after).get();
  return last.exists ? query.startAfter(last) : query;
}

type Known = readonly [id: string, purchase: Purchase | Foretold];

/** RevenueCat knows a purchase as that of whoever has it now. */
function byHolder(page: readonly Known[]): Map<string, Known[]> {
  return Map.groupBy(page, ([, purchase]) =>
    purchase.state === "foretold" ? "" : (purchase.movedTo ?? purchase.user),
  );
}

async function compare(user: string, ours: readonly Known[], dryRun: boolean): Promise<Difference[]> {
  const fetched = await fetchCustomer(user);
  const followed = await follow(fetched, dryRun);
  // Nothing at all is listed of a customer whom RevenueCat was told to forget.
  const unlisted =
    fetched.listed.length === 0 || !fetched.isWhole ? [] : ours.filter((known) => !isListed(known, followed));
  return [
    ...followed.flatMap(({ differences }) => differences),
    ...unlisted.flatMap(notListed),
    ...(await earlierRefunds(user, unlisted, dryRun)),
  ];
}

function isListed([id]: Known, followed: readonly Followed[]): boolean {
  return followed.some(({ fact }) => purchaseId(fact) === id);
}

/** Earlier periods of subscriptions that were paid for and whose money has gone back, of which nothing else tells. */
async function earlierRefunds(user: string, unlisted: readonly Known[], dryRun: boolean): Promise<Difference[]> {
  const earlier = unlisted.flatMap(([id, purchase]) =>
    purchase.state === "granted" && purchase.expiresAt !== null && (purchase.price?.amount ?? 0) > 0
      ? [{ id, transaction: purchase.transaction }]
      : [],
  );
  if (earlier.length === 0 || !canFetchPeriods()) return [];
  const at = now();
  const returned = await fetchReturned(user);
  const refunded = earlier.filter(({ transaction }) => returned.has(transaction));
  if (!dryRun) for (const { id } of refunded) await transact((tx) => hear(tx, id, { kind: "refunded", at, ...WHOLE }));
  return refunded.map(({ id }) => differenceOf(id, { kind: "refunded", ours: "paid", theirs: "refunded" }));
}

/** Of a subscription only the latest period is listed. */
function notListed([id, purchase]: Known): Difference[] {
  if (purchase.state !== "granted" || purchase.expiresAt !== null) return [];
  if (purchase.purchasedAt.toMillis() > now() - SETTLED_MILLIS) return [];
  return [differenceOf(id, { kind: "not-listed", ours: purchase.state, theirs: "none" })];
}
