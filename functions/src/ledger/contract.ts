import * as z from "zod";
import { KINDS } from "./records.ts";

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
      kind: z.enum(KINDS),
      amount: z.int(),
      reference: z.string(),
      /** Milliseconds since the epoch. */
      at: z.int(),
    }),
  ),
  /** Absent when there is no more; what follows a page that is just full may be empty. */
  nextCursor: z.string().optional(),
});
export type History = z.infer<typeof History>;
