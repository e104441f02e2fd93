import type Stripe from "stripe";
import { type Assessment, assess } from "../fraud/index.ts";
import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { Timestamp, type Transaction, timestamp } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import type { StripeProblem } from "../platform/stripe.ts";
import { refreshAccount } from "./account.ts";
import { firstAttempt, nextAttempt, standing } from "./attempts.ts";
import { call, find, groupOf, isForNow } from "./calls.ts";
import { clearTrouble, openCase, trouble } from "./case.ts";
import { type Change, change, note } from "./change.ts";
import { needsFourEyes } from "./limits.ts";
import { type Attempt, payoutAccounts, payoutFlags, type Withdrawal, withdrawals } from "./records.ts";
import type { State } from "./states.ts";

/**
 * The steps of a withdrawal, one for each state. Before Stripe is told to make anything, the state says that it may have been told; before it
 * is told again, it is asked whether it has. Only a refusal undoes anything, and never a silence.
 */

/** `on`: there may be more to do at once. `wait`: for a webhook, an operator or a later look. `again`: something failed, try later. */
export type Went = "on" | "wait" | "again";

/** What only lacks our own money or key at Stripe is tried for so long. */
const PATIENCE_MILLIS = 3 * 86_400_000;
/** Clocks differ: objects of a withdrawal are looked for from so long before it. */
const CLOCK_SKEW_SECONDS = 3_600;

type Step = (id: string, withdrawal: Withdrawal) => Promise<Went>;

export const STEPS: Readonly<Record<State, Step>> = {
  requested: judge,
  review: waits,
  approved: putAside,
  held: begin,
  transferring: transfer,
  transferred: (id) => to(id, "paying", { attempt: firstAttempt() }),
  paying: pay,
  paid: lookBack,
  failed: (id) => to(id, "reversing", { attempt: firstAttempt() }),
  reversing: reverse,
  returned: waits,
  rejected: waits,
  canceled: waits,
};

async function waits(): Promise<Went> {
  return "wait";
}

async function to(id: string, state: State, patch: NonNullable<Change["patch"]> = {}): Promise<Went> {
  await change(id, { to: state, patch });
  return "on";
}

/**
 * Has operators look at it, or not; what the rules against fraud block is rejected, `fraud`. Bill: a read for the user's flag and one for
 * what was withdrawn lately, what `assess` costs, and what the change costs.
 */
async function judge(id: string, withdrawal: Withdrawal): Promise<Went> {
  const { owner: user, amount, currency, createdAt } = withdrawal;
  const flag = (await payoutFlags().doc(user).get()).data();
  const usage = (await payoutAccounts().doc(user).get()).data()?.usage[currency];
  const isLarge = needsFourEyes(withdrawal, usage);
  const subject = { id, user, at: createdAt.toMillis(), amount: { amount, currency } };
  const assessment = await assess({ kind: "withdrawal", ...subject });
  if (assessment?.verdict === "block") {
    log.warn("withdrawal rejected", { withdrawal: id, user, rules: rulesOf(assessment).join(" ") });
    return await to(id, "rejected", { reason: "fraud" });
  }
  const why = [...(isLarge ? ["amount"] : []), ...(flag ? ["flagged"] : []), ...suspicionsOf(assessment)];
  if (why.length === 0) return await to(id, "approved");
  const needed = isLarge ? 2 : 1;
  await change(id, { to: "review", also: (tx: Transaction) => () => openCase(tx, id, { why, needed }) });
  return "on";
}

/** Why a withdrawal is in doubt; nothing, if not enough speaks for fraud. */
function suspicionsOf(assessment: Assessment | undefined): string[] {
  return assessment?.verdict === "review" ? rulesOf(assessment).map((rule) => `fraud:${rule}`) : [];
}

function rulesOf({ reasons }: Assessment): string[] {
  return reasons.map(({ rule }) => rule);
}

async function putAside(id: string): Promise<Went> {
  return await orRejected(id, () => to(id, "held"));
}

/** The last look before Stripe is told. */
async function begin(id: string, { owner, account, createdAt }: Withdrawal): Promise<Went> {
  try {
    // The webhook that says that the bank has changed may be late, or lost.
    await refreshAccount(owner, account);
  } catch (error) {
    if (!(error instanceof Failure && error.reason === "stripe-unavailable")) throw error;
    return await trouble(id, { outcome: "unknown", message: error.message });
  }
  const theirs = (await payoutAccounts().doc(owner).get()).data();
  if (theirs?.state !== "enabled" || theirs.account !== account) {
    return await to(id, "rejected", { reason: "payout-account-not-ready" });
  }
  // Whoever gets into somebody's account at Stripe changes the bank first, and then waits for what is on its way.
  if (theirs.bankChangedAt && theirs.bankChangedAt.toMillis() > createdAt.toMillis()) {
    return await to(id, "rejected", { reason: "payout-account-changed" });
  }
  return await orRejected(id, () => to(id, "transferring", { attempt: firstAttempt() }));
}

const REJECTING: ReadonlySet<string> = new Set(["insufficient-redeemable", "insufficient-funds", "account-frozen"]);

async function orRejected(id: string, step: () => Promise<Went>): Promise<Went> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof Failure && REJECTING.has(error.reason))) throw error;
    return await to(id, "rejected", { reason: error.reason });
  }
}

async function transfer(id: string, withdrawal: Withdrawal): Promise<Went> {
  const lookedAt = now();
  const looked = await call((stripe) => stripe.transfers.list({ transfer_group: groupOf(id), limit: 2 }));
  if (looked.outcome !== "done") return await trouble(id, looked);
  const [made, another] = looked.value.data;
  if (another) return await trouble(id, "there are two transfers for it");
  if (made) return await transferred(id, made);
  return await withAttempt(id, withdrawal, {
    lookedAt,
    make: async (n) => {
      const { account, amount, fee, currency, owner } = withdrawal;
      const called = await call((stripe) =>
        stripe.transfers.create(
          {
            amount: amount - fee,
            currency: currency.toLowerCase(),
            destination: account,
            transfer_group: groupOf(id),
            metadata: { withdrawal: id, uid: owner },
          },
          { idempotencyKey: `${groupOf(id)}_transfer_${n}` },
        ),
      );
      if (called.outcome === "done") return await transferred(id, called.value);
      if (mayPass(called, withdrawal)) return await trouble(id, called);
      return await transferRefused(id, called);
    },
  });
}

async function transferred(id: string, { id: transfer, created }: Stripe.Transfer): Promise<Went> {
  await clearTrouble(id);
  const transferredAt = Timestamp.fromMillis(created * 1_000);
  await change(id, { to: "transferred", patch: { transfer, transferredAt }, from: ["transferring"] });
  return "on";
}

/** Stripe has said no. The coins go back only if it says, too, that there is none. */
async function transferRefused(id: string, problem: StripeProblem): Promise<Went> {
  await trouble(id, problem);
  const looked = await call((stripe) => stripe.transfers.list({ transfer_group: groupOf(id), limit: 1 }));
  if (looked.outcome !== "done") return "again";
  const [made] = looked.value.data;
  if (made) return await transferred(id, made);
  await change(id, { to: "rejected", patch: { reason: "transfer-refused" }, from: ["transferring"] });
  return "on";
}

async function pay(id: string, withdrawal: Withdrawal): Promise<Went> {
  const lookedAt = now();
  const looked = await call((stripe) => payoutOf(stripe, id, withdrawal));
  if (looked.outcome !== "done") return await trouble(id, looked);
  if (looked.value) return await settlePayout(id, looked.value);
  return await withAttempt(id, withdrawal, {
    lookedAt,
    make: async (n) => {
      const { account, amount, fee, currency } = withdrawal;
      const called = await call((stripe) =>
        stripe.payouts.create(
          { amount: amount - fee, currency: currency.toLowerCase(), metadata: { withdrawal: id } },
          { stripeAccount: account, idempotencyKey: `${groupOf(id)}_payout_${n}` },
        ),
      );
      if (called.outcome === "done") return await settlePayout(id, called.value);
      if (mayPass(called, withdrawal)) return await trouble(id, called);
      return await payoutRefused(id, withdrawal, called);
    },
  });
}

async function payoutRefused(id: string, withdrawal: Withdrawal, problem: StripeProblem): Promise<Went> {
  await trouble(id, problem);
  const looked = await call((stripe) => payoutOf(stripe, id, withdrawal));
  if (looked.outcome !== "done") return "again";
  if (looked.value) return await settlePayout(id, looked.value);
  await change(id, { to: "failed", patch: { reason: "payout-refused" }, from: ["paying"] });
  return "on";
}

/** The payout that was made for a withdrawal, if there is one. */
async function payoutOf(
  stripe: Stripe,
  id: string,
  { account, payout, createdAt }: Withdrawal,
): Promise<Stripe.Payout | undefined> {
  const options = { stripeAccount: account };
  if (payout !== undefined) return await stripe.payouts.retrieve(payout, {}, options);
  const created = { gte: createdAt.seconds - CLOCK_SKEW_SECONDS };
  return await find(
    (page) => stripe.payouts.list({ ...page, created }, options),
    ({ metadata }) => metadata?.withdrawal === id,
  );
}

/** Takes in how a withdrawal's payout stands. */
async function settlePayout(id: string, payout: Stripe.Payout): Promise<Went> {
  await clearTrouble(id);
  const wanted = outcomeOf(payout);
  if (wanted) {
    await change(id, wanted);
    return wanted.to === "paid" ? "wait" : "on";
  }
  return (await notePayout(id, payout.id)) ? "wait" : "on";
}

/** What a payout that is no longer on its way makes of its withdrawal. */
export function outcomeOf({ id: payout, status }: Stripe.Payout): Change | undefined {
  if (status === "paid") return { to: "paid", patch: { payout } };
  if (status !== "failed" && status !== "canceled") return undefined;
  return { to: "failed", patch: { payout, reason: `payout-${status}` } };
}

/** Writes down which payout it is, the first time. */
async function notePayout(id: string, payout: string): Promise<boolean> {
  const current = (await withdrawals().doc(id).get()).data();
  if (current?.state !== "paying") return true;
  if (current.payout !== undefined) return true;
  return await note(id, current, { payout });
}

/** A bank may send money back that it had taken, and the webhook that says so may be lost. */
async function lookBack(id: string, withdrawal: Withdrawal): Promise<Went> {
  const looked = await call((stripe) => payoutOf(stripe, id, withdrawal));
  if (looked.outcome !== "done" || !looked.value) return "wait";
  return await settlePayout(id, looked.value);
}

/** Takes back from the user's account at Stripe what its bank did not take. */
async function reverse(id: string, withdrawal: Withdrawal): Promise<Went> {
  const { transfer = "" } = withdrawal;
  const lookedAt = now();
  const looked = await call((stripe) => stripe.transfers.retrieve(transfer));
  if (looked.outcome !== "done") return await trouble(id, looked);
  const { reversed, amount, amount_reversed } = looked.value;
  if (reversed) {
    await clearTrouble(id);
    return await to(id, "returned");
  }
  return await withAttempt(id, withdrawal, {
    lookedAt,
    make: async (n) => {
      const called = await call((stripe) =>
        stripe.transfers.createReversal(
          transfer,
          { amount: amount - amount_reversed, metadata: { withdrawal: id } },
          { idempotencyKey: `${groupOf(id)}_reversal_${n}` },
        ),
      );
      // The coins are given back by the next look, which sees that the transfer is reversed.
      return called.outcome === "done" ? "on" : await trouble(id, called);
    },
  });
}

/** Lets a try make its call, or begins the next try. */
async function withAttempt(
  id: string,
  withdrawal: Withdrawal,
  { lookedAt, make }: { lookedAt: number; make: (n: number) => Promise<Went> },
): Promise<Went> {
  const attempt: Attempt = withdrawal.attempt ?? { n: 0, at: timestamp(0) };
  const stands = standing(attempt, lookedAt);
  if (stands === "callable") return await make(attempt.n);
  if (stands === "settling") return "again";
  await note(id, withdrawal, { attempt: nextAttempt(attempt) });
  return "on";
}

/** Whether it is too early to take a refusal for the last word. */
function mayPass(problem: StripeProblem, { since }: Withdrawal): boolean {
  if (problem.outcome === "unknown") return true;
  return isForNow(problem) && now() - since.toMillis() < PATIENCE_MILLIS;
}
