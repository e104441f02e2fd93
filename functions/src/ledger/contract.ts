import * as z from "zod";
import { DocumentId, isUid } from "../platform/ids.ts";
import { SOURCES } from "./lots.ts";

const MAX_PAGE = 100;

export const WalletRequest = z.object({});

/** What a user has, by currency, in smallest units. `total` is `available + held`. */
export const Wallet = z.object({
  balances: z.array(
    z.object({
      currency: z.string(),
      available: z.int(),
      held: z.int(),
      total: z.int(),
      /** What a refund took back and could not find; what comes in settles it first. */
      owed: z.int(),
      /** What of the available has cleared and can be paid out in money. */
      redeemable: z.int(),
      /** Of an account that many give to at once: what it was given and has not been added to it yet. */
      incoming: z.int().optional(),
      /** What of the available expires first, and when, in milliseconds since the epoch; absent if none does. */
      nextExpiry: z.object({ amount: z.int(), at: z.int() }).optional(),
    }),
  ),
});
export type Wallet = z.infer<typeof Wallet>;

export const HistoryRequest = z.object({
  currency: z.string().min(1).max(20),
  limit: z.int().min(1).max(MAX_PAGE).default(50),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});

/** Transactions of one account, newest first. `amount` is what the account gained, negative where it lost. */
export const History = z.object({
  transactions: z.array(
    z.object({
      id: z.string(),
      /** `purchase`, `spend`, `hold`…; kinds that an app does not know may come. */
      kind: z.string(),
      amount: z.int(),
      /** What was set aside by it, negative where it was let go of. */
      held: z.int(),
      /** What could be spent after it; absent where it was given to an account that many give to at once, which adds it up later. */
      available: z.int().optional(),
      reference: z.string(),
      /** Milliseconds since the epoch. */
      at: z.int(),
    }),
  ),
  /** Absent when there is no more; what follows a page that is just full may be empty. */
  nextCursor: z.string().optional(),
});
export type History = z.infer<typeof History>;

export const StatementRequest = z.object({
  /** As 2026-11. */
  month: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/, "must be a month, as 2026-11"),
  currency: z.string().min(1).max(20),
  format: z.enum(["csv", "pdf"]).default("csv"),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
});

/** A page of a month of one account as a file. Amounts are in smallest units: what the account was worth before and after. */
export const Statement = z.object({
  name: z.string(),
  contentType: z.string(),
  /** The file. */
  base64: z.string().max(4_000_000),
  opening: z.int(),
  closing: z.int(),
  transactions: z.int(),
  /** Absent when there is no more; what follows a page that is just full may have no rows. */
  nextCursor: z.string().optional(),
});
export type Statement = z.infer<typeof Statement>;

/** Refused with `not-transferable`, `insufficient-funds`, `account-frozen`, `same-account` and `idempotency-key-reused`. */
export const TransferRequest = z.object({
  /** Of the app's choice, one for each transfer: however often it is sent, it happens once. */
  key: z.string().min(1).max(200),
  /** The uid of who is to have it. */
  to: z.string().refine(isUid, "must be a user's id"),
  currency: z.string().min(1).max(20),
  /** In smallest units. */
  amount: z.int().positive(),
  /** What both histories say it was for. */
  note: z.string().min(1).max(200).optional(),
});

/** The transaction, and what the caller could spend after it. */
export const Transferred = z.object({ transaction: z.string(), available: z.int() });
export type Transferred = z.infer<typeof Transferred>;

export const VerifyRequest = z.object({
  /** Chains since heads were last signed, or everything there has ever been. */
  scope: z.enum(["since-heads", "all"]).default("since-heads"),
});

/** What the verifier found. No problems: the books are what the ledger has written. */
export const VerifyReport = z.object({
  problems: z.array(z.object({ document: z.string(), what: z.string() })),
  accounts: z.int(),
  /** Places in the chains of accounts that were replayed. */
  links: z.int(),
  transactions: z.int(),
  /** By currency, in smallest units: what all users together have. */
  totals: z.record(z.string(), z.int()),
});
export type VerifyReport = z.infer<typeof VerifyReport>;

export const ReverseRequest = z.object({
  transaction: DocumentId,
  kind: z.enum(["refund", "chargeback", "adjustment"]).default("adjustment"),
  /** Why, for those who read the books later. */
  note: z.string().min(1).max(400),
});

/** The id of the transaction that takes the other back; the same however often it is asked for. */
export const Reversed = z.object({ transaction: z.string() });
export type Reversed = z.infer<typeof Reversed>;

const User = z.string().refine(isUid, "must be a user's id");
const CurrencyCode = z.string().min(1).max(20);
/** Why, for those who read the books later. */
const Note = z.string().min(1).max(400);

/** Refused with `unknown-currency`. Accounts that are so already are left alone. */
export const FreezeRequest = z.object({
  user: User,
  /** Absent: all there are, also those that the user has yet to get. */
  currency: CurrencyCode.optional(),
  frozen: z.boolean(),
  note: Note,
});

/** The currencies that were not as asked before. */
export const Frozen = z.object({ user: z.string(), frozen: z.boolean(), changed: z.array(z.string()) });
export type Frozen = z.infer<typeof Frozen>;

/** Refused with `insufficient-funds`, `balance-too-large`, `unknown-currency`, and `idempotency-key-reused`. */
export const AdjustRequest = z.object({
  /** However often it is sent, it happens once; of the operators' own choice. */
  key: z.string().min(1).max(200),
  user: User,
  currency: CurrencyCode,
  /** In smallest units; negative takes, from a frozen account too, but never more than is available. */
  amount: z.int().refine((amount) => amount !== 0, "must not be nothing"),
  /** As what it is given; what is taken goes in the order in which the currency is spent. */
  source: z.enum(SOURCES).default("promotional"),
  note: Note,
});

/** The id of the transaction. */
export const Adjusted = z.object({ transaction: z.string() });
export type Adjusted = z.infer<typeof Adjusted>;
export const CreditRequest = z.object({
  /** The idempotency key, of the caller's choosing: however often it is sent, the coins are given once. */
  key: z.string().min(1).max(200),
  user: User,
  currency: CurrencyCode,
  /** In smallest units. */
  amount: z.int().positive(),
  /** Why, for the user's history and for those who read the books later. */
  note: z.string().min(1).max(400),
});

/** The id of the transaction that gave the coins; the same however often it is asked for. */
export const Credited = z.object({ transaction: z.string() });
export type Credited = z.infer<typeof Credited>;

export const HotRequest = z.object({
  user: User,
  currency: CurrencyCode,
  /** Whether many give to the account at once. */
  hot: z.boolean(),
});

export const HotAccount = z.object({ hot: z.boolean() });
