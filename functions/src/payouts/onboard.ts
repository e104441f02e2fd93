import type Stripe from "stripe";
import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput } from "../platform/failure.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { log } from "../platform/log.ts";
import type { StripeProblem } from "../platform/stripe.ts";
import { refreshAccount, unavailable } from "./account.ts";
import { firstAttempt, nextAttempt, standing } from "./attempts.ts";
import { call, find } from "./calls.ts";
import type { Onboarding, OnboardRequest, PayoutAccountView } from "./contract.ts";
import { type PayoutAccount, payoutAccounts } from "./records.ts";

/** A user's way to an account at Stripe that can be paid: https://docs.stripe.com/connect/express-accounts */

const MAX_ROUNDS = 3;
const CLOCK_SKEW_SECONDS = 3_600;
/** An account that waits for its owner is looked at again after so long. */
const STALE_MILLIS = 60_000;

/**
 * A link to Stripe's form, and before it, once for each user, the account that it is for. Bill: 1 read; the first time 2 reads and 2 writes.
 * Refuses `payout-account-closed`, `stripe-refused` with Stripe's `code`, and `stripe-unavailable`.
 */
export async function onboard(
  { uid }: Caller,
  { country, returnUrl, refreshUrl }: z.output<typeof OnboardRequest>,
): Promise<Onboarding> {
  checkAddress("returnUrl", returnUrl);
  checkAddress("refreshUrl", refreshUrl);
  const account = await accountFor(uid, country);
  const called = await call((stripe) =>
    stripe.accountLinks.create({
      account,
      type: "account_onboarding",
      return_url: returnUrl,
      refresh_url: refreshUrl,
    }),
  );
  if (called.outcome !== "done") throw refusal(called);
  return { url: called.value.url, expiresAt: called.value.expires_at * 1_000 };
}

/** Anything but the developer's own machine is reached by https. */
function checkAddress(field: string, address: string): void {
  const { protocol, hostname } = new URL(address);
  if (protocol === "https:" || hostname === "localhost" || hostname === "127.0.0.1") return;
  throw invalidInput(field, "must be an https address");
}

/** The caller's account; looked at again while it waits for its owner. Bill: 1 read, and 1 read and 1 write where it was looked at. */
export async function payoutAccount({ uid }: Caller): Promise<PayoutAccountView> {
  let known = (await payoutAccounts().doc(uid).get()).data();
  if (known && isStale(known)) {
    await refreshAccount(uid, known.account ?? "");
    known = (await payoutAccounts().doc(uid).get()).data();
  }
  if (!known) return {};
  const { country, state, due, coolingOffUntil } = known;
  const until = coolingOffUntil?.toMillis() ?? 0;
  return { account: { country, state, due, ...(until > now() ? { coolingOffUntil: until } : {}) } };
}

function isStale({ account, state, asOf }: PayoutAccount): boolean {
  if (account === undefined || (state !== "onboarding" && state !== "restricted")) return false;
  return asOf === undefined || now() - asOf.toMillis() > STALE_MILLIS;
}

/** The user's account at Stripe, made if there is none. */
async function accountFor(uid: string, country: string): Promise<string> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { record, isNew } = await intent(uid, country);
    if (record.account !== undefined) return checked(record, record.account, country);
    if (record.country !== country) throw invalidInput("country", `an account in ${record.country} is being made`);
    const lookedAt = now();
    const found = isNew ? undefined : await lookFor(uid, record);
    if (found) return await adopt(uid, found);
    const stands = standing(record.creation, lookedAt);
    if (stands === "callable") return await adopt(uid, await create(uid, record));
    if (stands === "settling") break;
    await again(uid, record);
  }
  throw new Failure("unavailable", "The account is being made; try again in some minutes.", {
    reason: "stripe-unavailable",
  });
}

function checked({ state, country }: PayoutAccount, account: string, wanted: string): string {
  if (state === "rejected" || state === "disabled") {
    throw new Failure("failed-precondition", "The account is closed.", { reason: "payout-account-closed", state });
  }
  if (country !== wanted) throw invalidInput("country", `the account is in ${country}`);
  return account;
}

/** Writes down that an account is about to be made, unless that was done before. */
async function intent(uid: string, country: string): Promise<{ record: PayoutAccount; isNew: boolean }> {
  return await transact(async (tx) => {
    const reference = payoutAccounts().doc(uid);
    const known = (await tx.get(reference)).data();
    if (known) return { record: known, isNew: false };
    const at = timestamp();
    const record: PayoutAccount = {
      country,
      state: "onboarding",
      creation: firstAttempt(),
      due: [],
      usage: {},
      createdAt: at,
      updatedAt: at,
    };
    tx.create(reference, record);
    return { record, isNew: true };
  });
}

/** Stripe's search knows no accounts, so those made since are looked through. */
async function lookFor(uid: string, { createdAt }: PayoutAccount): Promise<string | undefined> {
  const created = { gte: createdAt.seconds - CLOCK_SKEW_SECONDS };
  const looked = await call((stripe) =>
    find(
      (page) => stripe.accounts.list({ ...page, created }),
      ({ metadata }: Stripe.Account) => metadata?.uid === uid,
    ),
  );
  if (looked.outcome !== "done") throw unavailable(looked);
  return looked.value?.id;
}

async function create(uid: string, { country, creation }: PayoutAccount): Promise<string> {
  const called = await call((stripe) =>
    stripe.accounts.create(
      {
        type: "express",
        country,
        capabilities: { transfers: { requested: true } },
        // Each payout is one withdrawal of ours, so none is made by schedule.
        settings: { payouts: { schedule: { interval: "manual" } } },
        metadata: { uid },
      },
      { idempotencyKey: `payout_account_${uid}_${creation.at.toMillis()}` },
    ),
  );
  if (called.outcome === "done") return called.value.id;
  if (called.outcome === "refused") await giveUp(uid, creation.at.toMillis());
  throw refusal(called);
}

/** Lets the user try another country. */
async function giveUp(uid: string, at: number): Promise<void> {
  await transact(async (tx) => {
    const known = (await tx.get(payoutAccounts().doc(uid))).data();
    if (known && known.account === undefined && known.creation.at.toMillis() === at) {
      tx.delete(payoutAccounts().doc(uid));
    }
  });
}

async function again(uid: string, { creation }: PayoutAccount): Promise<void> {
  await transact(async (tx) => {
    const known = (await tx.get(payoutAccounts().doc(uid))).data();
    if (known?.creation.n !== creation.n || known.account !== undefined) return;
    tx.update(payoutAccounts().doc(uid), { creation: nextAttempt(creation), updatedAt: timestamp() });
  });
}

/** Writes down which account it is; the first that is written down stays. */
async function adopt(uid: string, account: string): Promise<string> {
  return await transact(async (tx) => {
    const reference = payoutAccounts().doc(uid);
    const known = (await tx.get(reference)).data();
    if (known?.account !== undefined) {
      if (known.account !== account) log.error("a user has two accounts", new Error(account), { uid });
      return known.account;
    }
    tx.update(reference, { account, updatedAt: timestamp() });
    return account;
  });
}

function refusal(problem: StripeProblem): Failure {
  if (problem.outcome === "unknown") return unavailable(problem);
  return new Failure("failed-precondition", "Stripe refuses it.", { reason: "stripe-refused", code: problem.code });
}
