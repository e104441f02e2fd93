import * as z from "zod";
import { collection, Moment } from "../../platform/firestore.ts";
import { Reward } from "../../rewards/index.ts";
import { Attempt } from "./attempt.ts";

const Account = z.object({
  /** Stripe's id, once it is known. */
  id: z.string().optional(),
  attempt: Attempt,
});

/** `customers/{uid}`: who a user is at Stripe, in live mode and in test mode, which share nothing. */
export const Customer = z.object({ live: Account.optional(), test: Account.optional(), updatedAt: Moment });
export type Customer = z.infer<typeof Customer>;

export const customers = () => collection("customers", Customer);

/**
 * `created`: written down, and Stripe may or may not have heard of it. `open`: can be paid. `processing`: paid by something that takes days
 * to be sure. `paid`, `expired`, `failed` and `canceled` are the end of it.
 */
export const OrderState = z.enum(["created", "open", "processing", "paid", "expired", "failed", "canceled"]);
export type OrderState = z.infer<typeof OrderState>;

/** `orders/{hash of user and key}`: something that a user wants to pay for through Stripe. Its owner may read it. */
export const Order = z.object({
  user: z.string(),
  /** A page of Stripe's for one payment or for a subscription, or a payment that the app shows itself. */
  kind: z.enum(["checkout", "subscription", "payment"]),
  state: OrderState,
  /** Absent: money for the wallet. */
  product: z.string().optional(),
  count: z.int().positive(),
  title: z.string(),
  /** Of all of it, in smallest units, as the catalog said when it was ordered. */
  amount: z.int().positive(),
  currency: z.string(),
  /** Where the buyer is, as the app has said. */
  country: z.string().optional(),
  /** What it gives once it is paid, as the catalog said then; of a subscription each period gives what the catalog says by that time. */
  grant: Reward,
  trialDays: z.int().positive().optional(),
  /** Stripe's ids. */
  customer: z.string(),
  price: z.string().optional(),
  session: z.string().optional(),
  payment: z.string().optional(),
  subscription: z.string().optional(),
  successUrl: z.string().optional(),
  cancelUrl: z.string().optional(),
  /** Why it could not be paid, as Stripe's code says. */
  problem: z.string().optional(),
  attempt: Attempt,
  /** Tells a repeated request from another one under the same key. */
  fingerprint: z.string(),
  /** When Stripe was asked for what this says; absent until it has answered. */
  asOf: Moment.optional(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Order = z.infer<typeof Order>;

export const orders = () => collection("orders", Order);

export const RefundState = z.enum([
  "created",
  "pending",
  "requires_action",
  "succeeded",
  "failed",
  "canceled",
  "refused",
]);
export type RefundState = z.infer<typeof RefundState>;

/** `refunds/{hash of purchase and key}`: money that an operator gives back. What it means for the purchase follows from Stripe's state. */
export const Refund = z.object({
  /** `created`: Stripe may or may not have heard of it; it is asked until it has answered. */
  state: RefundState,
  purchase: z.string(),
  user: z.string(),
  /** Stripe's id of the payment. */
  payment: z.string(),
  amount: z.int().positive(),
  currency: z.string(),
  reason: z.enum(["duplicate", "fraudulent", "requested_by_customer"]),
  note: z.string(),
  /** The operator. */
  by: z.string(),
  /** Stripe's id, once it is known. */
  refund: z.string().optional(),
  problem: z.string().optional(),
  attempt: Attempt,
  fingerprint: z.string(),
  /** While Stripe has not answered: when it is asked again. */
  dueAt: Moment.optional(),
  createdAt: Moment,
  updatedAt: Moment,
});
export type Refund = z.infer<typeof Refund>;

export const refunds = () => collection("refunds", Refund);
