import type * as z from "zod";
import { writeDown } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { FieldPath, firestore, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { changeWithin, readWithdrawal } from "./change.ts";
import type { FlagRequest, Operated, OperatorRequest, Queue, QueueRequest } from "./contract.ts";
import { type PayoutCase, payoutCases, payoutFlags, type Withdrawal, withdrawals } from "./records.ts";
import { advance, carryOn } from "./run.ts";
import { CANCELABLE } from "./states.ts";
import { viewOf } from "./withdraw.ts";

/** What operators do with withdrawals. Each deed and its entry in `audit/` are one transaction. */

type Request = z.output<typeof OperatorRequest>;

/** Withdrawals in a state, by id, with what only operators know. Two reads for each. */
export async function queue(_caller: Caller, { state, limit, cursor }: z.output<typeof QueueRequest>): Promise<Queue> {
  let query = withdrawals().where("state", "==", state).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const { docs } = await query.get();
  const cases = docs.length === 0 ? [] : await firestore().getAll(...docs.map(({ id }) => payoutCases().doc(id)));
  const last = docs.at(-1);
  return {
    withdrawals: docs.map((document, i) =>
      rowOf(document.id, document.data(), cases[i]?.data() as PayoutCase | undefined),
    ),
    ...(last && docs.length === limit ? { nextCursor: last.id } : {}),
  };
}

function rowOf(id: string, withdrawal: Withdrawal, known: PayoutCase | undefined): Queue["withdrawals"][number] {
  const { owner, account, transfer, payout } = withdrawal;
  const { why = [], needed = 0, approvals = [], problem } = known ?? {};
  return {
    ...viewOf(id, withdrawal),
    owner,
    account,
    ...(transfer === undefined ? {} : { transfer }),
    ...(payout === undefined ? {} : { payout }),
    why,
    needed,
    approvals: approvals.map(({ by }) => by),
    ...(problem ? { problem: { what: problem.what, times: problem.times, at: problem.at.toMillis() } } : {}),
  };
}

/**
 * Approves a withdrawal, or adds to what it takes: above the threshold two operators, and never the one whose coins they are.
 * Refuses `unknown-withdrawal`, `not-in-review`, `own-withdrawal`, `approved-before`.
 */
export async function approve(caller: Caller, { id, note }: Request): Promise<Operated> {
  const operated = await transact(async (tx): Promise<Operated & { since?: Withdrawal }> => {
    const current = await readWithdrawal(tx, id);
    if (current.state !== "review") throw notInReview(current.state);
    if (current.owner === caller.uid) throw own();
    const known = (await tx.get(payoutCases().doc(id))).data();
    const { needed = 2, approvals = [], why = [] } = known ?? {};
    if (approvals.some(({ by }) => by === caller.uid)) throw approvedBefore();
    const after = [...approvals, { by: caller.uid, at: timestamp() }];
    const missing = Math.max(0, needed - after.length);
    const next = missing === 0 ? await changeWithin(tx, id, { to: "approved" }) : undefined;
    tx.set(payoutCases().doc(id), { ...known, why, needed, approvals: after, updatedAt: timestamp() });
    writeDown(tx, {
      ...deed(caller, id, note),
      key: `${id} ${caller.uid}`,
      action: "payouts/approve",
      details: { missing },
    });
    return { state: next?.state ?? current.state, missing, ...(next ? { since: next } : {}) };
  });
  if (operated.since) await carryOn(id, operated.since);
  return { state: operated.state, missing: operated.missing };
}

/** Refuses a withdrawal that has not left. Refuses `unknown-withdrawal`, `own-withdrawal`, `withdrawal-left`. */
export async function reject(caller: Caller, { id, note }: Request): Promise<Operated> {
  return await transact(async (tx) => {
    const current = await readWithdrawal(tx, id);
    if (current.owner === caller.uid) throw own();
    const next = await changeWithin(tx, id, {
      to: "rejected",
      from: [...CANCELABLE],
      patch: { reason: "rejected-by-operator" },
    });
    if (!next) {
      throw new Failure("failed-precondition", "It has left, or is over.", {
        reason: "withdrawal-left",
        state: current.state,
      });
    }
    writeDown(tx, { ...deed(caller, id, note), key: id, action: "payouts/reject", details: { from: current.state } });
    return { state: next.state, missing: 0 };
  });
}

/** Writes down what an operator has to say. Refuses `unknown-withdrawal`. */
export async function addNote(caller: Caller, { id, note }: Request): Promise<Operated> {
  return await transact(async (tx) => {
    const { state } = await readWithdrawal(tx, id);
    writeDown(tx, { ...deed(caller, id, note), key: `${id} ${caller.uid} ${now()}`, action: "payouts/note" });
    return { state, missing: 0 };
  });
}

/** Carries a withdrawal on at once, as far as it goes: it does no more than its task would. Refuses `unknown-withdrawal`. */
export async function retryWithdrawal(caller: Caller, { id, note }: Request): Promise<Operated> {
  await transact(async (tx) => {
    const { state } = await readWithdrawal(tx, id);
    const key = `${id} ${caller.uid} ${now()}`;
    writeDown(tx, { ...deed(caller, id, note), key, action: "payouts/retry", details: { state } });
  });
  await advance(id);
  const current = (await withdrawals().doc(id).get()).data();
  return { state: current?.state ?? "", missing: 0 };
}

/** Has people look at each of a user's withdrawals, or not any more. */
export async function flag(
  caller: Caller,
  { user, flagged, note }: z.output<typeof FlagRequest>,
): Promise<{ flagged: boolean }> {
  if (user === caller.uid) throw own();
  return await transact(async (tx: Transaction) => {
    const reference = payoutFlags().doc(user);
    if (flagged) tx.set(reference, { why: note, by: caller.uid, at: timestamp() });
    else tx.delete(reference);
    writeDown(tx, {
      key: `${user} ${caller.uid} ${now()}`,
      by: caller.uid,
      action: flagged ? "payouts/flag" : "payouts/unflag",
      subject: `payoutAccounts/${user}`,
      note,
    });
    return { flagged };
  });
}

function deed({ uid }: Caller, id: string, note: string): { by: string; subject: string; note: string } {
  return { by: uid, subject: `withdrawals/${id}`, note };
}

function notInReview(state: string): Failure {
  return new Failure("failed-precondition", "It does not wait for approval.", { reason: "not-in-review", state });
}

function own(): Failure {
  return new Failure("permission-denied", "These are your own coins; others decide.", { reason: "own-withdrawal" });
}

function approvedBefore(): Failure {
  return new Failure("failed-precondition", "You have approved it; now somebody else has to.", {
    reason: "approved-before",
  });
}
