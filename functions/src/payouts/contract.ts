import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";
import { AccountState } from "./records.ts";
import { STATES } from "./states.ts";

const MAX_URL = 2_000;

/** Where Stripe sends the user back to. */
const Address = z.url({ protocol: /^https?$/ }).max(MAX_URL);
const Millis = z.int();

export const OnboardRequest = z.object({
  /** ISO 3166-1 alpha-2; cannot be changed once Stripe has made the account. */
  country: z.string().regex(/^[A-Z]{2}$/),
  /** After Stripe's form, whether or not it was filled in. */
  returnUrl: Address,
  /** When the link is too old: ask for another one there. */
  refreshUrl: Address,
});

/** A page of Stripe's, for this user alone and for minutes only. */
export const Onboarding = z.object({ url: z.string(), expiresAt: Millis });
export type Onboarding = z.infer<typeof Onboarding>;

export const PayoutAccountRequest = z.object({});

export const PayoutAccountView = z.object({
  /** Absent before `pay/payouts/onboard`. */
  account: z
    .object({
      country: z.string(),
      state: AccountState,
      /** What Stripe still asks for. */
      due: z.array(z.string()),
      /** No new withdrawal before. */
      coolingOffUntil: Millis.optional(),
    })
    .optional(),
});
export type PayoutAccountView = z.infer<typeof PayoutAccountView>;

export const WithdrawRequest = z.object({
  /** The idempotency key, of the caller's choice. */
  key: z.string().min(8).max(200),
  currency: z.string().min(1).max(20),
  /** In smallest units, with the fee. */
  amount: z.int().positive(),
});

/** A withdrawal; `amount - fee` reaches the bank. States that an app does not know may come. */
export const WithdrawalView = z.object({
  id: z.string(),
  currency: z.string(),
  amount: z.int(),
  fee: z.int(),
  state: z.string(),
  /** Why it was refused or came back, in a word: `fraud`, `rejected-by-operator`, `payout-failed`…; others may come. */
  reason: z.string().optional(),
  createdAt: Millis,
  updatedAt: Millis,
});
export type WithdrawalView = z.infer<typeof WithdrawalView>;

export const CancelRequest = z.object({ id: DocumentId });

export const WithdrawalsRequest = z.object({
  limit: z.int().min(1).max(100).default(20),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});

/** The caller's withdrawals, newest first. */
export const Withdrawals = z.object({ withdrawals: z.array(WithdrawalView), nextCursor: z.string().optional() });
export type Withdrawals = z.infer<typeof Withdrawals>;

const Note = z.string().min(1).max(500);

export const QueueRequest = z.object({
  state: z.enum(STATES).default("review"),
  limit: z.int().min(1).max(100).default(50),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** Withdrawals in a state, by id, with what only operators know. */
export const Queue = z.object({
  withdrawals: z.array(
    WithdrawalView.extend({
      owner: z.string(),
      account: z.string(),
      transfer: z.string().optional(),
      payout: z.string().optional(),
      why: z.array(z.string()),
      /** How many operators have to approve it, and who has. */
      needed: z.int(),
      approvals: z.array(z.string()),
      problem: z.object({ what: z.string(), times: z.int(), at: Millis }).optional(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Queue = z.infer<typeof Queue>;

export const OperatorRequest = z.object({ id: DocumentId, note: Note });

/** How the withdrawal stands after what an operator did. `missing` approvals keep it where it is. */
export const Operated = z.object({ state: z.string(), missing: z.int() });
export type Operated = z.infer<typeof Operated>;

export const FlagRequest = z.object({
  user: DocumentId,
  /** Whether people look at each of the user's withdrawals from now on. */
  flagged: z.boolean(),
  note: Note,
});

export const Flagged = z.object({ flagged: z.boolean() });

const DIFFERENCE_KINDS = [
  "missing-here",
  "missing-there",
  "amount-differs",
  "state-differs",
  "paid-twice",
  "fees-not-booked",
  "payout-not-booked",
] as const;
export const DifferenceKind = z.enum(DIFFERENCE_KINDS);
export type DifferenceKind = z.infer<typeof DifferenceKind>;

const Day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

export const ReconcileRequest = z.object({
  /** A day that is over, UTC. */
  day: Day,
});

/** How far a day's reconciliation is; call again until it is done. */
export const Reconciled = z.object({ day: z.string(), done: z.boolean(), looked: z.int(), differences: z.int() });
export type Reconciled = z.infer<typeof Reconciled>;

export const DifferencesRequest = z.object({
  kind: DifferenceKind.optional(),
  state: z.enum(["open", "asked", "corrected"]).default("open"),
  limit: z.int().min(1).max(100).default(50),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** What does not fit between Stripe's books and ours, by id. */
export const Differences = z.object({
  differences: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      /** Stripe's object, as `tr_…`; of fees, the day. */
      object: z.string(),
      day: z.string(),
      currency: z.string(),
      /** In smallest units: what Stripe says, and what our books say. */
      there: z.int(),
      here: z.int(),
      what: z.string(),
      withdrawal: z.string().optional(),
      state: z.string(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Differences = z.infer<typeof Differences>;

export const CorrectRequest = z.object({
  /** These, or all open ones of a kind. */
  ids: z.array(DocumentId).max(100).optional(),
  kind: DifferenceKind.optional(),
  /** Only says what would be done. */
  dryRun: z.boolean().default(true),
  limit: z.int().min(1).max(100).default(50),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
  note: Note,
});

export const Corrections = z.object({
  corrections: z.array(
    z.object({
      id: z.string(),
      /** `booked`, `carried-on`, `asked` (of whoever is in charge of it), `gone` (it fits by now) or `by-hand`. */
      result: z.string(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Corrections = z.infer<typeof Corrections>;
