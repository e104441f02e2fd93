import * as z from "zod";

/**
 * Stripe's events: of what they are about only the ids are read, and what is told of it is fetched.
 * Source: https://docs.stripe.com/api/events/object
 */

const Id = z.string().regex(/^\w{1,255}$/);

export const StripeEvent = z.object({
  id: Id,
  type: z.string().min(1).max(100),
  livemode: z.boolean(),
  /** Of connected accounts only. */
  account: z.string().nullish(),
  data: z.object({
    object: z.object({
      /** What is only foreseen, as an upcoming invoice, has none. */
      id: Id.nullish().catch(undefined),
      payment_intent: z
        .union([Id, z.object({ id: Id }).transform(({ id }) => id)])
        .nullish()
        .catch(undefined),
    }),
  }),
});
export type StripeEvent = z.infer<typeof StripeEvent>;

/** What an event is about. `isBack`: money may have gone back, or come again. */
export type Subject =
  | { readonly kind: "session" | "invoice" | "subscription"; readonly id: string }
  | { readonly kind: "payment"; readonly id: string; readonly isBack: boolean };

/** Types whose object is a refund, a dispute or a charge, which name the payment. */
const BACK = /^(charge\.refunded|charge\.refund\.updated|refund\.\w+|charge\.dispute\.\w+)$/;
/** What an invoice is about while it comes to be, and nobody has paid or failed to. */
const INVOICE: ReadonlySet<string> = new Set([
  "invoice.paid",
  "invoice.payment_failed",
  "invoice.payment_action_required",
  "invoice.voided",
  "invoice.marked_uncollectible",
]);

/** Undefined for types that change nothing here. */
export function subjectOf({ type, data }: StripeEvent): Subject | undefined {
  const { id, payment_intent } = data.object;
  if (BACK.test(type)) return payment_intent ? { kind: "payment", id: payment_intent, isBack: true } : undefined;
  if (!id) return undefined;
  if (type.startsWith("checkout.session.")) return { kind: "session", id };
  if (type.startsWith("payment_intent.")) return { kind: "payment", id, isBack: false };
  if (INVOICE.has(type)) return { kind: "invoice", id };
  return type.startsWith("customer.subscription.") ? { kind: "subscription", id } : undefined;
}
