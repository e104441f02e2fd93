import { openHold, prepareAll, prepareHold, readReversal } from "../ledger/index.ts";
import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import {
  FieldValue,
  isChangedMeanwhile,
  type QueryDocumentSnapshot,
  type Transaction,
  timestamp,
  transact,
} from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import { withoutUsage } from "./limits.ts";
import { type PayoutAccount, payoutAccounts, type Withdrawal, withdrawals } from "./records.ts";
import { isOver, mayFollow, type Place, PUTS, type State } from "./states.ts";

/**
 * The one way in which a withdrawal changes its state: with what that means for the coins in the very same transaction, so that the books and
 * the withdrawal can never tell different stories, wherever a process ends.
 */

/** Until then the ledger does not let go of the hold by itself: whether money has left is for Stripe to say, however long that takes. */
const HOLD_MILLIS = 10 * 365 * 86_400_000;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** When to look again at a withdrawal that nobody has told us of meanwhile. */
const LOOK_AGAIN: Readonly<Partial<Record<State, number>>> = { paying: 6 * 60 * MINUTE, paid: DAY };
const OTHERWISE = 15 * MINUTE;
/** So long a bank may send back what it has taken, with room to spare. */
const COMES_BACK_MILLIS = 14 * DAY;

/** States that others hear of, as `withdrawal.paid`. */
const TOLD: ReadonlySet<State> = new Set(["review", "paid", "failed", "returned", "rejected"]);

export interface Change {
  readonly to: State;
  /** What else is known with it. */
  readonly patch?: Partial<Pick<Withdrawal, "attempt" | "transfer" | "payout" | "reason" | "transferredAt">>;
  /** Only from one of these states; from all that the table allows, if absent. */
  readonly from?: readonly State[];
  /** Other writes of the same transaction, and the reads that they need. May refuse by throwing. */
  readonly also?: (tx: Transaction, current: Withdrawal) => Promise<() => void> | (() => void);
}

/**
 * Changes the state of a withdrawal. Undefined, and nothing is done, if it is in none from which that is possible: somebody was quicker.
 * Bill: 1 read, 1 write; where coins move 1 to 3 reads and 3 writes more; where they come back the limits' read and write, too; an event's
 * write. Refuses `unknown-withdrawal`, and what the ledger refuses.
 */
export async function change(id: string, wanted: Change): Promise<Withdrawal | undefined> {
  return await transact((tx) => changeWithin(tx, id, wanted));
}

/** {@link change} as part of another Firestore transaction; reads, then writes. */
export async function changeWithin(tx: Transaction, id: string, wanted: Change): Promise<Withdrawal | undefined> {
  const { to, patch = {}, from, also } = wanted;
  const current = await readWithdrawal(tx, id);
  if (!mayFollow(current.state, to) || (from && !from.includes(current.state))) return undefined;
  const write = await also?.(tx, current);
  const moved = await moveMoney(tx, id, current, to);
  const giveBackLimits = PUTS[to] === "wallet" ? await limitsGivenBack(tx, current) : undefined;

  const { attempt: _, dueAt: __, ...rest } = current;
  const dueAt = dueAfter(to, now());
  const next: Withdrawal = {
    ...rest,
    ...moved.patch,
    ...patch,
    state: to,
    since: timestamp(),
    updatedAt: timestamp(),
    ...(dueAt === undefined ? {} : { dueAt: timestamp(dueAt) }),
  };
  tx.set(withdrawals().doc(id), next);
  moved.write();
  giveBackLimits?.();
  write?.();
  if (TOLD.has(to)) {
    const { owner: user, currency, amount, reason } = next;
    emit(tx, {
      type: `withdrawal.${to}`,
      key: `${id} ${to}`,
      data: { withdrawal: id, user, currency, amount, ...(reason === undefined ? {} : { reason }) },
    });
  }
  return next;
}

export async function readWithdrawal(tx: Transaction, id: string): Promise<Withdrawal> {
  const current = (await tx.get(withdrawals().doc(id))).data();
  if (!current) {
    throw new Failure("not-found", "There is no such withdrawal.", { reason: "unknown-withdrawal" });
  }
  return current;
}

/** Notes something without a change of state, as long as the state is still the same. Bill: 1 read, 1 write. */
export async function note(
  id: string,
  { state, since }: Pick<Withdrawal, "state" | "since">,
  patch: Partial<Pick<Withdrawal, "attempt" | "payout">>,
): Promise<boolean> {
  return await transact(async (tx) => {
    const current = await readWithdrawal(tx, id);
    if (current.state !== state || !current.since.isEqual(since)) return false;
    if (patch.attempt && patch.attempt.n !== (current.attempt?.n ?? 0) + 1) return false;
    tx.update(withdrawals().doc(id), { ...patch, updatedAt: timestamp() });
    return true;
  });
}

/** Puts off the next look at a withdrawal that waits, unless it has changed since it was read. One write. */
export async function putOff(found: QueryDocumentSnapshot<Withdrawal>): Promise<void> {
  const { state, since } = found.data();
  const dueAt = dueAfter(state, since.toMillis());
  const change = { dueAt: dueAt === undefined ? FieldValue.delete() : timestamp(dueAt) };
  try {
    await found.ref.update(change, { lastUpdateTime: found.updateTime });
  } catch (error) {
    if (!isChangedMeanwhile(error)) throw error;
  }
}

function dueAfter(state: State, since: number): number | undefined {
  if (isOver(state) || state === "review") return undefined;
  if (state === "paid" && now() - since > COMES_BACK_MILLIS) return undefined;
  return now() + (LOOK_AGAIN[state] ?? OTHERWISE);
}

/** Where the coins of a withdrawal are now. */
function placeOf({ hold, booked, state }: Pick<Withdrawal, "hold" | "booked" | "state">): Place {
  if (PUTS[state] === "wallet") return "wallet";
  if (booked !== undefined) return "gone";
  return hold === undefined ? "wallet" : "hold";
}

interface Moved {
  readonly patch: Partial<Pick<Withdrawal, "hold" | "booked">>;
  write(): void;
}

const STAYS: Moved = { patch: {}, write: () => undefined };

async function moveMoney(tx: Transaction, id: string, current: Withdrawal, to: State): Promise<Moved> {
  const from = placeOf(current);
  const place = PUTS[to] ?? from;
  if (to === "transferring") return await stillWhole(tx, current);
  if (from === place) return STAYS;
  const about = { reference: `withdrawal:${id}`, metadata: { withdrawal: id, ...stripeOf(current) } };
  if (place === "hold") return await putAside(tx, id, current, about);
  if (place === "gone") return await payOut(tx, id, current, about);
  if (from === "hold") {
    const judged = await (await openHold(tx, current.hold ?? "")).giveBack({ key: `withdrawal ${id} back`, ...about });
    return { patch: {}, write: () => judged?.write() };
  }
  return await comeBack(tx, current, about);
}

type About = { readonly reference: string; readonly metadata: Record<string, string> };

function stripeOf({ transfer }: Withdrawal): { stripe?: string } {
  return transfer === undefined ? {} : { stripe: transfer };
}

async function putAside(tx: Transaction, id: string, current: Withdrawal, about: About): Promise<Moved> {
  const { write, id: hold } = await prepareHold(tx, holdFor(id, current, about));
  return { patch: { hold }, write };
}

/** What a withdrawal sets aside. */
export function holdFor(
  id: string,
  { owner, amount, currency, createdAt }: Pick<Withdrawal, "owner" | "amount" | "currency" | "createdAt">,
  about: About = { reference: `withdrawal:${id}`, metadata: { withdrawal: id } },
) {
  const expiresAt = createdAt.toMillis() + HOLD_MILLIS;
  return {
    key: `withdrawal ${id}`,
    owner,
    amount,
    currency,
    expiresAt,
    only: "redeemable" as const,
    ...about,
  };
}

/** What a clawback has taken out of the hold must not be sent after it, and nothing to whoever was frozen meanwhile. */
async function stillWhole(tx: Transaction, { hold, amount, currency }: Withdrawal): Promise<Moved> {
  const { amount: left, isFrozen } = await openHold(tx, hold ?? "");
  if (await isFrozen()) {
    throw new Failure("failed-precondition", "The account is frozen.", { reason: "account-frozen" });
  }
  if (left === amount) return STAYS;
  throw new Failure("failed-precondition", "A part of it has been taken back meanwhile.", {
    reason: "insufficient-redeemable",
    currency,
    available: left,
    needed: amount,
  });
}

async function payOut(tx: Transaction, id: string, current: Withdrawal, about: About): Promise<Moved> {
  const { amount, fee } = current;
  const parts = [
    { to: "system:stripe", amount: amount - fee },
    { to: "system:fees", amount: fee },
  ].filter((part) => part.amount > 0);
  const open = await openHold(tx, current.hold ?? "");
  const { write, id: booked } = await open.payOut({ key: `withdrawal ${id} out`, parts, ...about });
  return { patch: { booked }, write };
}

/** What had arrived at the bank and was sent back after all. */
async function comeBack(tx: Transaction, current: Withdrawal, about: About): Promise<Moved> {
  const { request, mark, reversedBy } = await readReversal(tx, {
    transaction: current.booked ?? "",
    kind: "refund",
    ...about,
  });
  if (reversedBy !== undefined) return STAYS;
  const { write } = await prepareAll(tx, [request]);
  return {
    patch: {},
    write: () => {
      write();
      mark();
    },
  };
}

async function limitsGivenBack(tx: Transaction, current: Withdrawal): Promise<(() => void) | undefined> {
  const { owner, currency, amount, createdAt } = current;
  const reference = payoutAccounts().doc(owner);
  const account = (await tx.get(reference)).data();
  const usage = account?.usage[currency];
  if (!account || !usage) return undefined;
  const after: PayoutAccount["usage"] = {
    ...account.usage,
    [currency]: withoutUsage(usage, amount, createdAt.toMillis()),
  };
  return () => {
    tx.update(reference, { usage: after, updatedAt: timestamp() });
  };
}
