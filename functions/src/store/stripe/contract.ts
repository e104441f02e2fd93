import * as z from "zod";
import { DocumentId } from "../../platform/ids.ts";
import { OrderState, RefundState } from "./records.ts";

/** An idempotency key of the caller's choice: one for each thing that they want, however often they ask. */
const Key = z.string().min(8).max(100);
const CurrencyCode = z.string().regex(/^[A-Z]{3}$/, "must be three capital letters, as USD");
const Url = z.string().max(2_000);
const MAX_COUNT = 100;
const MAX_AMOUNT = 99_999_999;

export const CheckoutRequest = z.object({
  key: Key,
  product: DocumentId,
  /** Of a subscription only one. */
  count: z.int().min(1).max(MAX_COUNT).default(1),
  currency: CurrencyCode,
  /** Where Stripe's page leads to; `{CHECKOUT_SESSION_ID}` in it becomes the session's id. See APP_URLS. */
  successUrl: Url,
  cancelUrl: Url,
  /** ISO 3166-1 alpha-2; asked for where the product is not sold everywhere. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
});

export const Checkout = z.object({
  /** `orders/{order}` tells what becomes of it. */
  order: z.string(),
  state: OrderState,
  /** Stripe's page, while it can be paid there. */
  url: z.string().optional(),
});
export type Checkout = z.infer<typeof Checkout>;

/** Money for the wallet, or a product of the catalog, paid in the app itself with Stripe.js. */
export const TopUpRequest = z.object({
  key: Key,
  currency: CurrencyCode,
  /** In smallest units: so much comes into the wallet. Left out for a product, which costs what the catalog says. */
  amount: z.int().min(1).max(MAX_AMOUNT).optional(),
  product: DocumentId.optional(),
  count: z.int().min(1).max(MAX_COUNT).default(1),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
});

export const TopUp = z.object({
  order: z.string(),
  state: OrderState,
  /** What is to be paid, in smallest units. */
  amount: z.int(),
  currency: z.string(),
  /** For Stripe.js, which asks for a card, and has its holder asked by the bank; while it can be paid. */
  clientSecret: z.string().optional(),
});
export type TopUp = z.infer<typeof TopUp>;

export const PortalRequest = z.object({ returnUrl: Url });
/** A page of Stripe's where the caller sees invoices and changes cards and subscriptions; for a few minutes. */
export const Portal = z.object({ url: z.string() });
export type Portal = z.infer<typeof Portal>;

export const SubscriptionRequest = z.object({
  key: Key,
  /** Stripe's id, as the order has it; may be left out by who has one only. */
  subscription: z
    .string()
    .regex(/^sub_\w{1,100}$/)
    .optional(),
  /** To another product; off at the end of the period; on again, whether off or paused; paused, without being charged. */
  change: z.enum(["switch", "cancel", "resume", "pause"]),
  /** What to switch to. */
  product: DocumentId.optional(),
});

export const ChangedSubscription = z.object({
  subscription: z.string(),
  product: z.string(),
  /** Stripe's, as `active`, `past_due`. */
  status: z.string(),
  /** What is dearer is switched to at once, and the rest of the period is charged; what is not, when the period ends. */
  takesEffect: z.enum(["now", "period-end"]),
  /** Milliseconds since the epoch. */
  periodEndsAt: z.int(),
  willRenew: z.boolean(),
});
export type ChangedSubscription = z.infer<typeof ChangedSubscription>;

export const RefundRequest = z.object({
  key: Key,
  /** The id of the purchase, `purchases/{purchase}`. */
  purchase: DocumentId,
  /** In smallest units; all that is left if it is left out. */
  amount: z.int().min(1).max(MAX_AMOUNT).optional(),
  reason: z.enum(["duplicate", "fraudulent", "requested_by_customer"]).default("requested_by_customer"),
  /** Why, for those who ask later. */
  note: z.string().min(1).max(400),
});

export const Refunded = z.object({
  refund: z.string(),
  /** `created`: Stripe has not answered, and is asked again until it has. */
  state: RefundState,
  amount: z.int(),
  currency: z.string(),
});
export type Refunded = z.infer<typeof Refunded>;
