import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";
import { STATES } from "./states.ts";

const Amount = z.int().positive();
const Whole = z.int().nonnegative();

/** A call to Stripe that is about to be made: which try it is, and since when it may be made. See attempts.ts. */
export const Attempt = z.object({ n: z.int().positive(), at: Moment });
export type Attempt = z.infer<typeof Attempt>;

/** What of the limits of a currency is used up, in the day and the month (UTC) of the last withdrawal. */
export const Usage = z.object({ day: z.string(), inDay: Whole, month: z.string(), inMonth: Whole });
export type Usage = z.infer<typeof Usage>;

/**
 * - `onboarding`: its owner has not been through Stripe's form. `restricted`: Stripe wants something more. `enabled`: it can be paid.
 * - `disabled`: its owner has cut it off. `rejected`: Stripe has closed it.
 */
export const AccountState = z.enum(["onboarding", "restricted", "enabled", "disabled", "rejected"]);
export type AccountState = z.infer<typeof AccountState>;

/** `payoutAccounts/{uid}`: a user's Express account at Stripe. Written by this module alone; its owner may read it. */
export const PayoutAccount = z.object({
  /** ISO 3166-1 alpha-2; cannot be changed at Stripe. */
  country: z.string(),
  state: AccountState,
  /** Stripe's id, `acct_…`; absent while it is being made. */
  account: z.string().optional(),
  creation: Attempt,
  /** What Stripe still asks for, in its words, as `individual.verification.document`. */
  due: z.array(z.string()),
  /** Tells bank accounts apart, and nothing else of them. */
  bank: z.string().optional(),
  bankChangedAt: Moment.optional(),
  /** No new withdrawal before. */
  coolingOffUntil: Moment.optional(),
  /** By currency. */
  usage: z.record(z.string(), Usage),
  /** When the look at Stripe began that this is from. */
  asOf: Moment.optional(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type PayoutAccount = z.infer<typeof PayoutAccount>;

export const payoutAccounts = () => collection("payoutAccounts", PayoutAccount);

/** `withdrawals/{id}`: coins on their way to a user's bank. Written by this module alone; its owner may read it. */
export const Withdrawal = z.object({
  owner: z.string(),
  currency: z.string(),
  /** What leaves the wallet, in smallest units, and what of it the house keeps. */
  amount: Amount,
  fee: Whole,
  /** The account at Stripe that it goes to. */
  account: z.string(),
  state: z.enum(STATES),
  /** Since when it is in this state. */
  since: Moment,
  /** Why it was refused or came back, in a word that programs can rely on. */
  reason: z.string().optional(),
  /** Tells a repeated request from another one under the same key. */
  fingerprint: z.string(),
  /** The ledger's hold. */
  hold: z.string().optional(),
  /** The call to Stripe that the state stands for. */
  attempt: Attempt.optional(),
  /** Stripe's ids. */
  transfer: z.string().optional(),
  payout: z.string().optional(),
  transferredAt: Moment.optional(),
  /** The ledger's transaction by which the coins left the house. */
  booked: z.string().optional(),
  /** While something is still to be done or looked at: when the sweep sees to it. */
  dueAt: Moment.optional(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Withdrawal = z.infer<typeof Withdrawal>;

export const withdrawals = () => collection("withdrawals", Withdrawal);

/** `payoutCases/{withdrawalId}`: what operators know of a withdrawal and its owner must not. */
export const PayoutCase = z.object({
  /** Why people have to look at it. */
  why: z.array(z.string()),
  /** How many operators have to approve it. */
  needed: Whole,
  approvals: z.array(z.object({ by: z.string(), at: Moment })),
  /** What went wrong last with Stripe, and how often in a row. */
  problem: z.object({ what: z.string(), times: z.int().positive(), at: Moment }).optional(),
  updatedAt: Moment,
});
export type PayoutCase = z.infer<typeof PayoutCase>;

export const payoutCases = () => collection("payoutCases", PayoutCase);

/** `payoutFlags/{uid}`: a user whose every withdrawal people look at. */
const PayoutFlag = z.object({ why: z.string(), by: z.string(), at: Moment });

export const payoutFlags = () => collection("payoutFlags", PayoutFlag);
