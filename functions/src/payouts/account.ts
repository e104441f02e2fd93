import type Stripe from "stripe";
import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import type { StripeProblem } from "../platform/stripe.ts";
import { call, wordsOf } from "./calls.ts";
import { coolingOffEnd } from "./limits.ts";
import { type AccountState, type PayoutAccount, payoutAccounts } from "./records.ts";

/** What Stripe says of a user's account. The look that began last counts. */

const MAX_DUE = 20;

/** How an account at Stripe stood when it was looked at. */
export interface AccountFact {
  /** `acct_…` */
  readonly account: string;
  readonly state: AccountState;
  readonly due: readonly string[];
  readonly bank: string | undefined;
  /** When the look began, in milliseconds since the epoch. */
  readonly asOf: number;
}

/** Refusals that say that the account is not ours any more. Source: https://docs.stripe.com/error-codes */
const GONE: ReadonlySet<string> = new Set(["account_invalid", "resource_missing", "StripePermissionError"]);

/** Looks at an account at Stripe. Refuses `stripe-unavailable`. */
export async function lookAtAccount(account: string): Promise<AccountFact> {
  const asOf = now();
  const looked = await call((stripe) => stripe.accounts.retrieve(account));
  if (looked.outcome === "done") return { ...factOf(looked.value), asOf };
  if (looked.outcome === "refused" && GONE.has(looked.code)) {
    return { account, state: "disabled", due: [], bank: undefined, asOf };
  }
  throw unavailable(looked);
}

export function unavailable(problem: StripeProblem): Failure {
  log.error("Stripe cannot be asked", new Error(wordsOf(problem)));
  return new Failure("unavailable", "Stripe cannot be asked right now.", { reason: "stripe-unavailable" });
}

function factOf(account: Stripe.Account): Omit<AccountFact, "asOf"> {
  const banks = (account.external_accounts?.data ?? []).map(
    (bank) => `${bank.id} ${"fingerprint" in bank ? (bank.fingerprint ?? "") : ""}`,
  );
  return {
    account: account.id,
    state: stateOf(account),
    due: (account.requirements?.currently_due ?? []).slice(0, MAX_DUE),
    bank: banks.length === 0 ? undefined : deterministicId("bank", ...banks.sort()),
  };
}

/** Source: https://docs.stripe.com/connect/handling-api-verification#determine-if-verification-is-needed */
function stateOf({ requirements, details_submitted, payouts_enabled, capabilities }: Stripe.Account): AccountState {
  if (requirements?.disabled_reason?.startsWith("rejected.")) return "rejected";
  if (!details_submitted) return "onboarding";
  return payouts_enabled && capabilities?.transfers === "active" ? "enabled" : "restricted";
}

/**
 * Takes a fact in, as part of a Firestore transaction. False if a later look was quicker, or the account is not the user's.
 * Bill: 1 read, 1 write.
 */
export async function applyFact(tx: Transaction, uid: string, fact: AccountFact): Promise<boolean> {
  const reference = payoutAccounts().doc(uid);
  const known = (await tx.get(reference)).data();
  if (known?.account !== fact.account || (known.asOf && known.asOf.toMillis() > fact.asOf)) return false;
  tx.set(reference, withFact(known, fact));
  return true;
}

function withFact(known: PayoutAccount, { state, due, bank, asOf }: AccountFact): PayoutAccount {
  const isOtherBank = bank !== undefined && bank !== known.bank;
  const isFirstTime = state === "enabled" && known.coolingOffUntil === undefined;
  return {
    ...known,
    state,
    due: [...due],
    ...(bank === undefined ? {} : { bank }),
    ...(isOtherBank && known.bank !== undefined ? { bankChangedAt: timestamp() } : {}),
    ...(isOtherBank || isFirstTime ? { coolingOffUntil: timestamp(coolingOffEnd()) } : {}),
    asOf: timestamp(asOf),
    updatedAt: timestamp(),
  };
}

/** Looks at a user's account and takes in what it is. Refuses `stripe-unavailable`. */
export async function refreshAccount(uid: string, account: string): Promise<void> {
  const fact = await lookAtAccount(account);
  await transact((tx) => applyFact(tx, uid, fact));
}
