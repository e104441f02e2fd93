import type Stripe from "stripe";
import type * as z from "zod";
import { transactionsAbout } from "../../ledger/index.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { invalidInput } from "../../platform/failure.ts";
import { FieldPath, getAll, Timestamp, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { askStripe } from "../../platform/stripe.ts";
import type { Reconciled, ReconcileRequest } from "../contract.ts";
import { withdrawals } from "../records.ts";
import { comparePage, FEES, type Found } from "./compare.ts";
import { type Difference, differences, type Reconciliation, reconciliations } from "./records.ts";
import { checkWithdrawal } from "./withdrawal.ts";

/** Compares a day's books with Stripe's, page by page; where it is cut off it goes on, and what it has noted it notes once. */

const DAY = 86_400_000;
const PAGE = 100;
/** Each withdrawal is a call to Stripe. */
const WITHDRAWALS_PAGE = 20;
/** Pages of one call; a schedule or an operator calls again. */
const MAX_PAGES = 50;

/** For a schedule: yesterday, and the day before if that was not finished. Throws if there is more to do. */
export async function reconcileYesterday(): Promise<void> {
  for (const daysAgo of [2, 1]) {
    const day = dayOf(now() - daysAgo * DAY);
    const { done, differences: count } = await reconcileDay(day);
    log.info("day reconciled with Stripe", { day, done, differences: count });
    if (!done) throw new Error(`${day} is not reconciled yet`);
    if (count > 0) log.error("Stripe's books differ from ours", new Error(`${count} differences`), { day });
  }
}

/** For operators: goes on with a day, or begins it. Refuses `invalid-input` for a day that is not over. */
export async function reconcile(_caller: Caller, { day }: z.output<typeof ReconcileRequest>): Promise<Reconciled> {
  if (startOf(day) + DAY > now()) throw invalidInput("day", "is not over yet");
  return await reconcileDay(day);
}

/** Bill: a read for each transaction and withdrawal of the day, and 1 read and 1 write for each page and each difference. */
async function reconcileDay(day: string): Promise<Reconciled> {
  let state = (await reconciliations().doc(day).get()).data() ?? fresh();
  for (let page = 0; page < MAX_PAGES && state.phase !== "done"; page++) {
    state = state.phase === "there" ? await lookThere(day, state) : await lookHere(day, state);
  }
  return { day, done: state.phase === "done", looked: state.looked, differences: state.differences };
}

function fresh(): Reconciliation {
  return { phase: "there", looked: 0, differences: 0, fees: {}, startedAt: timestamp(), updatedAt: timestamp() };
}

async function lookThere(day: string, state: Reconciliation): Promise<Reconciliation> {
  const start = startOf(day) / 1_000;
  const { data, has_more } = await askStripe((stripe) =>
    stripe.balanceTransactions.list({
      created: { gte: start, lt: start + DAY / 1_000 },
      limit: PAGE,
      expand: ["data.source"],
      ...(state.cursor === undefined ? {} : { starting_after: state.cursor }),
    }),
  );
  const fees = withFees(state.fees, data);
  const found = await comparePage(data);
  if (has_more) return await save(day, { ...state, cursor: data.at(-1)?.id, fees }, { found, looked: data.length });
  const { cursor: _, ...rest } = state;
  const ofFees = await compareFees(day, fees);
  return await save(day, { ...rest, phase: "here", fees }, { found: [...found, ...ofFees], looked: data.length });
}

function withFees(fees: Reconciliation["fees"], entries: readonly Stripe.BalanceTransaction[]): Reconciliation["fees"] {
  const after = { ...fees };
  for (const { currency, fee, type, amount } of entries) {
    const code = currency.toUpperCase();
    after[code] = (after[code] ?? 0) + fee - (FEES.has(type) ? amount : 0);
  }
  return after;
}

/** Stripe's fees of a day are booked at once, by currency. */
async function compareFees(day: string, fees: Reconciliation["fees"]): Promise<Found[]> {
  const charged = Object.entries(fees).filter(([, there]) => there !== 0);
  const booked = await transactionsAbout(
    "metadata.stripe",
    charged.map(([currency]) => feesOf(day, currency)),
  );
  return charged.flatMap(([currency, there]): Found[] => {
    const object = feesOf(day, currency);
    const here = booked
      .filter(({ record }) => record.metadata.stripe === object)
      .flatMap(({ record }) => record.postings)
      .reduce((sum, { amount }) => sum + amount, 0);
    if (here === there) return [];
    return [{ kind: "fees-not-booked", object, type: "fees", currency, there, here, what: `Stripe's fees of ${day}` }];
  });
}

function feesOf(day: string, currency: string): string {
  return `fees:${day}:${currency}`;
}

/** Each withdrawal whose transfer was made this day is looked up at Stripe. */
async function lookHere(day: string, state: Reconciliation): Promise<Reconciliation> {
  const start = startOf(day);
  let query = withdrawals()
    .where("transferredAt", ">=", Timestamp.fromMillis(start))
    .where("transferredAt", "<", Timestamp.fromMillis(start + DAY))
    .orderBy("transferredAt")
    .orderBy(FieldPath.documentId())
    .limit(WITHDRAWALS_PAGE);
  const [at = "", id = ""] = state.cursor?.split(" ") ?? [];
  if (state.cursor !== undefined) query = query.startAfter(Timestamp.fromMillis(Number(at)), id);
  const { docs } = await query.get();
  const found: Found[] = [];
  for (const document of docs) found.push(...(await checkWithdrawal(document.id, document.data())));
  const last = docs.at(-1);
  const looked = { found, looked: docs.length };
  if (last && docs.length === WITHDRAWALS_PAGE) {
    const cursor = `${last.data().transferredAt?.toMillis()} ${last.id}`;
    return await save(day, { ...state, cursor }, looked);
  }
  const { cursor: _, ...rest } = state;
  return await save(day, { ...rest, phase: "done" }, looked);
}

/** Notes what was found and how far it is, as one; what is known already stays as it is. */
async function save(
  day: string,
  { cursor, ...state }: Omit<Reconciliation, "cursor"> & { cursor?: string | undefined },
  { found, looked }: { found: readonly Found[]; looked: number },
): Promise<Reconciliation> {
  const byId = new Map(found.map((one) => [deterministicId("difference", one.kind, one.object), one]));
  return await transact(async (tx) => {
    const known = await getAll(tx, differences(), [...byId.keys()]);
    const fresh = [...byId].filter(([id]) => known.get(id) === undefined);
    const next: Reconciliation = {
      ...state,
      ...(cursor === undefined ? {} : { cursor }),
      looked: state.looked + looked,
      differences: state.differences + fresh.length,
      updatedAt: timestamp(),
    };
    for (const [id, one] of fresh) tx.create(differences().doc(id), differenceOf(day, one));
    tx.set(reconciliations().doc(day), next);
    return next;
  });
}

function differenceOf(day: string, found: Found): Difference {
  return { ...found, day, state: "open", createdAt: timestamp(), updatedAt: timestamp() };
}

function startOf(day: string): number {
  const start = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(start)) throw invalidInput("day", "is no day");
  return start;
}

function dayOf(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}
