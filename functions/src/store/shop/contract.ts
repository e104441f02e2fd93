import * as z from "zod";
import { DocumentId } from "../../platform/ids.ts";
import { Reward } from "../../rewards/index.ts";

/** Made up by the app for each thing that it asks for; sending the same again changes nothing. */
export const RequestKey = z.string().min(8).max(64);
const MAX_COUNT = 100;

/** What somebody wants to buy, and what they think it costs. */
export const Wanted = {
  product: DocumentId,
  /** A virtual currency that the product has a price in. */
  currency: z.string().min(1).max(20),
  /** The price of one in smallest units, as the app has shown it; with a code, after the discount. */
  expectedPrice: z.int().positive(),
  /** Where the buyer is, as an ISO 3166-1 alpha-2 code: asked for by products that are not sold everywhere. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
};

export const BuyRequest = z.object({
  key: RequestKey,
  ...Wanted,
  count: z.int().min(1).max(MAX_COUNT).default(1),
  /** A promo code that makes it cheaper. */
  code: z.string().min(1).max(100).optional(),
});

/** What was bought. */
export const Bought = z.object({
  purchase: z.string(),
  /** The id of the ledger's transaction. */
  transaction: z.string(),
  /** For all of it, in smallest units. */
  paid: z.object({ amount: z.int(), currency: z.string() }),
  /** What the buyer has got. */
  grant: Reward,
  /** Whether the same request had been carried out before. */
  repeated: z.boolean(),
});
export type Bought = z.infer<typeof Bought>;

const OnSale = z.object({
  product: z.string(),
  title: z.string(),
  description: z.string().optional(),
  /** By currency, in smallest units. */
  prices: z.record(z.string(), z.int()),
  grant: Reward,
  /** How many one user may buy. */
  perUser: z.int().optional(),
  /** When it stops being sold, in milliseconds since the epoch. */
  until: z.int().optional(),
  /** Where it is sold; everywhere if left out. */
  countries: z.array(z.string()).optional(),
});
export type OnSale = z.infer<typeof OnSale>;

export const ProductsRequest = z.object({
  /** `nextCursor` of the page before. */
  cursor: DocumentId.optional(),
});

/** A page of what is on sale now, by id. What follows a page that has a cursor may be empty. */
export const Products = z.object({ products: z.array(OnSale), nextCursor: z.string().optional() });
export type Products = z.infer<typeof Products>;

export const HotRequest = z.object({ limit: z.int().min(1).max(50).default(20) });

/** What was bought most in the last seven days and is still on sale, most first. */
export const Hot = z.object({
  products: z.array(OnSale.extend({ bought: z.int() })),
  /** When it was counted, in milliseconds since the epoch; absent if it never was. */
  countedAt: z.int().optional(),
});
export type Hot = z.infer<typeof Hot>;

export const PurchasesRequest = z.object({
  limit: z.int().min(1).max(100).default(50),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(250).optional(),
});

/** The caller's purchases of all stores, newest first. */
export const Purchases = z.object({
  purchases: z.array(
    z.object({
      purchase: z.string(),
      product: z.string(),
      /** `WALLET`, `APP_STORE`, `STRIPE`…; stores that an app does not know may come. */
      store: z.string(),
      /** `granted`, `review`, `rejected`, `refunded`, `reversed`; others may come. */
      state: z.string(),
      /** Somebody looks at it first: so far it has given nothing of `grant`. */
      isPending: z.boolean(),
      price: z.object({ amount: z.int(), currency: z.string() }).optional(),
      grant: Reward,
      /** The number of its receipt, once it has one. */
      receipt: z.string().optional(),
      /** It was given away, as this gift. */
      gift: z.string().optional(),
      /** Milliseconds since the epoch. */
      purchasedAt: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Purchases = z.infer<typeof Purchases>;
