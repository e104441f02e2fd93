import type * as z from "zod";
import { currencyOf, prepareHold } from "../ledger/index.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput, keyReused } from "../platform/failure.ts";
import { FieldPath, Timestamp, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId, fingerprint, isDocumentId } from "../platform/ids.ts";
import { change, holdFor } from "./change.ts";
import type { Withdrawals, WithdrawalsRequest, WithdrawalView, WithdrawRequest } from "./contract.ts";
import { coolingOffEnd, feeOf, withUsage } from "./limits.ts";
import { type PayoutAccount, payoutAccounts, type Withdrawal, withdrawals } from "./records.ts";
import { advance, carryOn } from "./run.ts";
import { CANCELABLE, type State } from "./states.ts";

/** What users do with withdrawals. */

/** A little more than the states take that need no vendor. */
const AT_ONCE: ReadonlySet<State> = new Set(["requested", "approved"]);
const FIRST_DUE_MILLIS = 60_000;

/**
 * Asks for coins to be paid out. The same key again answers with how it stands; with another request it is refused.
 * Bill: 3 reads and 2 writes, then what its first steps cost.
 * Refuses `not-redeemable`, `payout-account-not-ready`, `cooling-off` until `until`, `payout-too-small`, `payout-limit` with `remaining`,
 * `insufficient-redeemable`, `account-frozen`, `idempotency-key-reused`.
 */
export async function withdraw(caller: Caller, request: z.output<typeof WithdrawRequest>): Promise<WithdrawalView> {
  const { currency } = request;
  const { kind, redeemable } = currencyOf(currency);
  if (kind !== "fiat" || redeemable.length === 0) {
    throw new Failure("failed-precondition", "This currency is not paid out.", { reason: "not-redeemable", currency });
  }
  const id = deterministicId("withdrawal", caller.uid, request.key);
  await transact((tx) => ask(tx, id, caller.uid, request));
  await advance(id, AT_ONCE);
  const current = await ownOf(caller, id);
  if (current.state === "held") await carryOn(id, current);
  return viewOf(id, current);
}

/** Writes a withdrawal down, unless that was done before. */
async function ask(
  tx: Transaction,
  id: string,
  owner: string,
  { key: _, ...request }: z.output<typeof WithdrawRequest>,
): Promise<void> {
  const print = fingerprint(request);
  const known = (await tx.get(withdrawals().doc(id))).data();
  if (known?.fingerprint === print) return;
  if (known) throw keyReused();
  const { amount, currency } = request;
  const theirs = (await tx.get(payoutAccounts().doc(owner))).data();
  const account = readyAccount(theirs);
  const usage = withUsage(theirs?.usage[currency], amount);
  const fee = feeOf(amount);
  if (fee >= amount) {
    throw new Failure("failed-precondition", "The fee is as much as the amount.", { reason: "payout-too-small" });
  }
  const at = timestamp();
  const withdrawal: Withdrawal = {
    owner,
    currency,
    amount,
    fee,
    account,
    state: "requested",
    since: at,
    fingerprint: print,
    dueAt: timestamp(now() + FIRST_DUE_MILLIS),
    createdAt: at,
    updatedAt: at,
  };
  // Only to see that it could be set aside: people may have to look at it first.
  await prepareHold(tx, holdFor(id, withdrawal));
  tx.create(withdrawals().doc(id), withdrawal);
  const isFirst = Object.keys(theirs?.usage ?? {}).length === 0;
  tx.update(payoutAccounts().doc(owner), {
    usage: { ...theirs?.usage, [currency]: usage },
    ...(isFirst ? { coolingOffUntil: timestamp(coolingOffEnd()) } : {}),
    updatedAt: at,
  });
}

function readyAccount(theirs: PayoutAccount | undefined): string {
  if (theirs?.state !== "enabled" || theirs.account === undefined) {
    throw new Failure("failed-precondition", "There is no account that can be paid.", {
      reason: "payout-account-not-ready",
      state: theirs?.state ?? "none",
    });
  }
  const until = theirs.coolingOffUntil?.toMillis() ?? 0;
  if (until > now()) {
    throw new Failure("failed-precondition", "Nothing is paid out so soon after a change.", {
      reason: "cooling-off",
      until,
    });
  }
  return theirs.account;
}

/** Takes a withdrawal back that has not left yet. Refuses `unknown-withdrawal`, `withdrawal-left`. Bill: {@link change}'s and a read. */
export async function cancel(caller: Caller, { id }: { id: string }): Promise<WithdrawalView> {
  const current = await ownOf(caller, id);
  if (current.state === "canceled") return viewOf(id, current);
  const canceled = await change(id, { to: "canceled", from: [...CANCELABLE] });
  if (!canceled) {
    throw new Failure("failed-precondition", "It has left, or is over.", {
      reason: "withdrawal-left",
      state: current.state,
    });
  }
  return viewOf(id, canceled);
}

async function ownOf({ uid }: Caller, id: string): Promise<Withdrawal> {
  const current = (await withdrawals().doc(id).get()).data();
  if (current?.owner !== uid) {
    throw new Failure("not-found", "There is no such withdrawal.", { reason: "unknown-withdrawal" });
  }
  return current;
}

/** A page of the caller's withdrawals, newest first. One read for each. */
export async function listWithdrawals(
  { uid }: Caller,
  { limit, cursor }: z.output<typeof WithdrawalsRequest>,
): Promise<Withdrawals> {
  let query = withdrawals()
    .where("owner", "==", uid)
    .orderBy("createdAt", "desc")
    .orderBy(FieldPath.documentId(), "desc")
    .limit(limit);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.get();
  const last = docs.at(-1);
  return {
    withdrawals: docs.map((document) => viewOf(document.id, document.data())),
    ...(last && docs.length === limit ? { nextCursor: `${last.data().createdAt.toMillis()}.${last.id}` } : {}),
  };
}

function readCursor(cursor: string): [Timestamp, string] {
  const [, at, id = ""] = /^(\d{1,14})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [Timestamp.fromMillis(Number(at)), id];
}

export function viewOf(id: string, withdrawal: Withdrawal): WithdrawalView {
  const { currency, amount, fee, state, reason, createdAt, updatedAt } = withdrawal;
  return {
    id,
    currency,
    amount,
    fee,
    state,
    ...(reason === undefined ? {} : { reason }),
    createdAt: createdAt.toMillis(),
    updatedAt: updatedAt.toMillis(),
  };
}
