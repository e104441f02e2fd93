import type * as z from "zod";
import { post } from "../../ledger/index.ts";
import { writeDown } from "../../platform/audit.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { invalidInput } from "../../platform/failure.ts";
import { FieldPath, firestore, type Query, timestamp, transact } from "../../platform/firestore.ts";
import { emit } from "../../platform/outbox.ts";
import type { Corrections, CorrectRequest, Differences, DifferencesRequest } from "../contract.ts";
import { withdrawals } from "../records.ts";
import { advance } from "../run.ts";
import { type Difference, differences } from "./records.ts";
import { checkWithdrawal } from "./withdrawal.ts";

/** What operators do about differences. Only what cannot be wrong is corrected by itself; the rest is for people. */

/** A page of differences, by id. One read for each. */
export async function listDifferences(
  _caller: Caller,
  { kind, state, limit, cursor }: z.output<typeof DifferencesRequest>,
): Promise<Differences> {
  const { docs } = await pageOf({ kind, state, limit, cursor }).get();
  const last = docs.at(-1);
  return {
    differences: docs.map((document) => {
      const { createdAt: _, updatedAt: __, type: ___, ...row } = document.data();
      return { id: document.id, ...row };
    }),
    ...(last && docs.length === limit ? { nextCursor: last.id } : {}),
  };
}

interface Page {
  readonly kind: Difference["kind"] | undefined;
  readonly state: Difference["state"];
  readonly limit: number;
  readonly cursor: string | undefined;
}

function pageOf({ kind, state, limit, cursor }: Page): Query<Difference> {
  let query: Query<Difference> = differences().where("state", "==", state);
  if (kind !== undefined) query = query.where("kind", "==", kind);
  query = query.orderBy(FieldPath.documentId()).limit(limit);
  return cursor === undefined ? query : query.startAfter(cursor);
}

/**
 * Corrects differences, a page at a time: these, or the open ones of a kind. A dry run, the default, only says what would be done. Each
 * correction has a key of its own and its entry in `audit/`, so that one that is asked for again is done once.
 */
export async function correct(caller: Caller, request: z.output<typeof CorrectRequest>): Promise<Corrections> {
  const { dryRun, note, limit } = request;
  const found = await chosen(request);
  const corrections: Corrections["corrections"] = [];
  for (const { id, difference } of found) {
    const result: Result = dryRun ? planOf(difference) : await apply(id, difference);
    corrections.push({ id, result });
    if (!dryRun) await conclude(caller, { id, result, note });
  }
  const last = found.at(-1);
  const isFull = request.ids === undefined && found.length === limit;
  return { corrections, ...(last && isFull ? { nextCursor: last.id } : {}) };
}

type Chosen = { readonly id: string; readonly difference: Difference };

async function chosen({ ids, kind, limit, cursor }: z.output<typeof CorrectRequest>): Promise<Chosen[]> {
  if (ids !== undefined) {
    if (ids.length === 0) return [];
    const snapshots = await firestore().getAll(...ids.map((id) => differences().doc(id)));
    return snapshots.flatMap((snapshot) => {
      const difference = snapshot.data() as Difference | undefined;
      return difference && difference.state !== "corrected" ? [{ id: snapshot.id, difference }] : [];
    });
  }
  if (kind === undefined) throw invalidInput("kind", "say which ones: ids or a kind");
  const { docs } = await pageOf({ kind, state: "open", limit, cursor }).get();
  return docs.map((document) => ({ id: document.id, difference: document.data() }));
}

type Result = "booked" | "carried-on" | "asked" | "gone" | "by-hand";

function planOf({ kind, withdrawal, here, there }: Difference): Result {
  if (kind === "payout-not-booked") return "booked";
  if (kind === "fees-not-booked") return there > here ? "booked" : "by-hand";
  if (kind === "state-differs" && withdrawal !== undefined) return "carried-on";
  return kind === "missing-here" && withdrawal === undefined ? "asked" : "by-hand";
}

async function apply(id: string, difference: Difference): Promise<Result> {
  const plan = planOf(difference);
  if (plan === "booked") await book(id, difference);
  if (plan === "carried-on") return await carryOn(difference.withdrawal ?? "");
  if (plan === "asked") await askWhoIsInCharge(id, difference);
  return plan;
}

/** Money that is not at Stripe any more, or is again: by its fees, or by payouts to the house's bank. */
async function book(id: string, { kind, object, currency, there, here, day }: Difference): Promise<void> {
  const other = kind === "fees-not-booked" ? "system:fees" : "system:bank";
  // Fees are what has left, payouts what Stripe's balance has changed by.
  const left = kind === "fees-not-booked" ? there - here : -there;
  const [from, to] = left > 0 ? [other, "system:stripe"] : ["system:stripe", other];
  await post({
    key: `difference ${id}`,
    kind: "adjustment",
    postings: [{ from, to, amount: Math.abs(left), currency }],
    reference: `difference:${id}`,
    metadata: { stripe: object, day },
  });
}

/** Does what its task would do, and looks whether it fits then. */
async function carryOn(id: string): Promise<Result> {
  await advance(id);
  const current = (await withdrawals().doc(id).get()).data();
  if (!current) return "by-hand";
  return current.transfer !== undefined && (await checkWithdrawal(id, current)).length === 0 ? "gone" : "carried-on";
}

/** Whoever carries out the webhooks of such an object does so again: the object is looked at as it is, so nothing happens twice. */
async function askWhoIsInCharge(id: string, { object, type }: Difference): Promise<void> {
  await transact(async (tx) => emit(tx, { type: "stripe.object-missed", key: id, data: { object, type } }));
}

const STATES: Readonly<Record<Result, Difference["state"]>> = {
  booked: "corrected",
  gone: "corrected",
  asked: "asked",
  "carried-on": "open",
  "by-hand": "open",
};

async function conclude(
  { uid }: Caller,
  { id, result, note }: { id: string; result: Result; note: string },
): Promise<void> {
  await transact(async (tx) => {
    const reference = differences().doc(id);
    const known = (await tx.get(reference)).data();
    const state = STATES[result];
    if (!known || known.state === state) return;
    tx.update(reference, { state, updatedAt: timestamp() });
    const details = { result, kind: known.kind, object: known.object };
    writeDown(tx, {
      key: `${id} ${result}`,
      by: uid,
      action: "payouts/correct",
      subject: `differences/${id}`,
      note,
      details,
    });
  });
}
