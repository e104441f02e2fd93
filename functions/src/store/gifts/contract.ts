import * as z from "zod";
import { DocumentId, isUid } from "../../platform/ids.ts";
import { Reward } from "../../rewards/index.ts";
import { RequestKey, Wanted } from "../shop/contract.ts";

const MAX_MESSAGE = 500;

export const GiftRequest = z.object({
  key: RequestKey,
  ...Wanted,
  /** Who is to get it. */
  to: z.string().refine(isUid, "must be the id of a user"),
  message: z.string().min(1).max(MAX_MESSAGE).optional(),
});

/** A gift that was bought. It waits for its receiver. */
export const Given = z.object({
  gift: z.string(),
  purchase: z.string(),
  /** In smallest units. */
  paid: z.object({ amount: z.int(), currency: z.string() }),
  /** Whether the same request had been carried out before. */
  repeated: z.boolean(),
});
export type Given = z.infer<typeof Given>;

export const AnswerRequest = z.object({ gift: DocumentId });

/** What became of a gift. */
export const Answered = z.object({
  state: z.enum(["accepted", "declined"]),
  /** What the receiver has got. */
  grant: Reward.optional(),
  repeated: z.boolean(),
});
export type Answered = z.infer<typeof Answered>;

export const GiftsRequest = z.object({
  limit: z.int().min(1).max(50).default(20),
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** Gifts that wait for the caller, by id. */
export const Gifts = z.object({
  gifts: z.array(
    z.object({
      gift: z.string(),
      from: z.string(),
      product: z.string(),
      grant: Reward,
      message: z.string().optional(),
      /** Milliseconds since the epoch. */
      createdAt: z.int(),
      expiresAt: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Gifts = z.infer<typeof Gifts>;
