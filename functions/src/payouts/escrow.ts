import { capture, hold, release, renew } from "../ledger/index.ts";
import { now } from "../platform/clock.ts";
import { invalidInput } from "../platform/failure.ts";
import { clearsAt } from "./limits.ts";

/**
 * Money for work: what a poster has put into the wallet is set aside for a job and goes to the workers when the work is accepted.
 *
 * Stripe has no escrow, and says so (https://docs.stripe.com/connect/manual-payouts): the poster's payment is charged when it is made, stays in
 * our own balance there, and is sent on by separate charges and transfers, once a worker withdraws it. What is held, and for whom, is in our
 * books alone. So a job has an end, after which what nobody has earned is the poster's again:
 *
 * - Money may lie in a balance at Stripe for 90 days, in the USA for two years, in Thailand for 10 days; the same page.
 * - The shortest of these for countries of ours is the limit of a job, less a margin for what is left to do then.
 * - It counts from when the job was funded, however often its deadline is put off.
 * - Refunds of the poster's card are not made from here: what comes back is in the wallet, and refunding the purchase that filled it is the
 *   store's. Dispute windows of card networks (about 120 days) are longer than a job: a chargeback afterwards is owed by the poster.
 */

const DAY = 86_400_000;
/** How long money lies at Stripe at most. */
const STRIPE_DAYS = 90;
/** For the release, the refund, and a weekend in between. */
const MARGIN_DAYS = 5;
export const MAX_JOB_MILLIS = (STRIPE_DAYS - MARGIN_DAYS) * DAY;

export interface Funding {
  /** The idempotency key. */
  readonly key: string;
  /** What it is for, as `job:abc`. */
  readonly reference: string;
  readonly poster: string;
  readonly amount: number;
  readonly currency: string;
  /** When what is left goes back, in milliseconds since the epoch; within {@link MAX_JOB_MILLIS}. */
  readonly deadline: number;
}

/** Money set aside for a job. */
export interface Escrow {
  /** The ledger's hold. */
  readonly id: string;
  readonly reference: string;
  readonly fundedAt: number;
}

/**
 * Sets money of the poster aside. Bill: that of the ledger's `hold`.
 * @param fundedAt when the job was funded, for a repeated request the same
 */
export async function fund(funding: Funding, fundedAt: number): Promise<Escrow> {
  const { key, poster: owner, amount, currency, deadline, reference } = funding;
  checkDeadline(deadline, fundedAt);
  const own = keyOf("fund", owner, key);
  const { id } = await hold({
    key: own,
    owner,
    amount,
    currency,
    expiresAt: deadline,
    reference,
    metadata: { fundedAt },
  });
  return { id, reference, fundedAt };
}

/** Callers' keys may come from users, who must not reach the keys of others, nor those by which the ledger takes things back. */
function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(["escrow", ...parts]);
}

/** Puts the deadline off, within the limit. Refuses what the ledger's `renew` does. */
export async function putOffDeadline({ id, fundedAt }: Escrow, deadline: number): Promise<void> {
  checkDeadline(deadline, fundedAt);
  await renew(id, deadline);
}

function checkDeadline(deadline: number, fundedAt: number): void {
  if (deadline <= now() || deadline > fundedAt + MAX_JOB_MILLIS) {
    throw invalidInput("deadline", `must lie within ${MAX_JOB_MILLIS / DAY} days of when the job was funded`);
  }
}

export interface Reward {
  /** The idempotency key. */
  readonly key: string;
  /** Workers by weight. */
  readonly workers: readonly { readonly to: string; readonly weight: number }[];
  /** All that is left unless said otherwise. */
  readonly amount?: number;
  readonly feeBasisPoints: number;
  /** When the work was accepted, in milliseconds since the epoch, for a repeated request the same: clearing counts from then. */
  readonly acceptedAt: number;
}

/** Pays workers, as earned; they can withdraw it when it has cleared. Bill and refusals are those of the ledger's `capture`. */
export async function reward(escrow: Escrow, given: Reward): Promise<{ id: string; amount: number }> {
  const { key, workers, amount, feeBasisPoints, acceptedAt } = given;
  return await capture({
    key: keyOf("reward", escrow.id, key),
    hold: escrow.id,
    ...(amount === undefined ? {} : { amount }),
    payees: workers,
    feeBasisPoints,
    as: { source: "earned", clearsAt: clearsAt(acceptedAt) },
    reference: escrow.reference,
  });
}

/** Gives the poster back what is left, or a part. Bill and refusals are those of the ledger's `release`. */
export async function giveBack(
  escrow: Escrow,
  { key, amount }: { readonly key: string; readonly amount?: number },
): Promise<{ id: string; amount: number }> {
  const part = amount === undefined ? {} : { amount };
  const own = keyOf("back", escrow.id, key);
  return await release({ key: own, hold: escrow.id, ...part, reference: escrow.reference });
}

/**
 * Ends a dispute: a part of what is left goes to the workers, and the rest back to the poster. Cut off between the two, it is completed by
 * the same request.
 */
export async function settleDispute(
  escrow: Escrow,
  { toWorkers, toPoster, ...given }: Omit<Reward, "amount"> & { readonly toWorkers: number; readonly toPoster: number },
): Promise<void> {
  if (toWorkers > 0) await reward(escrow, { ...given, key: `${given.key} workers`, amount: toWorkers });
  if (toPoster > 0) await giveBack(escrow, { key: `${given.key} poster`, amount: toPoster });
}
