import * as z from "zod";

/**
 * RevenueCat's webhook bodies. Fields and types that are not named here are let through: RevenueCat adds to them without notice.
 * Source: https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields
 */

const Millis = z.int().nonnegative();
const Id = z.string().min(1).max(1_500);

const Base = z.looseObject({
  type: z.string().min(1).max(100),
  id: Id,
  event_timestamp_ms: Millis,
});

/** Who bought: RevenueCat's app user id, which is ours once somebody has signed in, and all others that mean the same person. */
const Customer = z.looseObject({
  app_user_id: Id,
  original_app_user_id: Id.nullish(),
  aliases: z.array(Id).max(1_000).nullish(),
});

const PURCHASE_TYPES = ["INITIAL_PURCHASE", "RENEWAL", "NON_RENEWING_PURCHASE"] as const;
const END_TYPES = ["CANCELLATION", "EXPIRATION"] as const;

const Payment = Base.extend({
  ...Customer.shape,
  product_id: Id,
  store: z.string().min(1).max(50),
  environment: z.enum(["PRODUCTION", "SANDBOX"]),
  transaction_id: Id,
  purchased_at_ms: Millis,
  expiration_at_ms: Millis.nullish(),
  period_type: z.string().nullish(),
  is_family_share: z.boolean().nullish(),
  /** In units of the currency, with a fraction. Negative for a refund. */
  price_in_purchased_currency: z.number().nullish(),
  currency: z.string().nullish(),
});

export const PurchaseEvent = Payment.extend({ type: z.enum(PURCHASE_TYPES) });
export type PurchaseEvent = z.infer<typeof PurchaseEvent>;

export const EndEvent = Payment.extend({ type: z.enum(END_TYPES), cancel_reason: z.string().nullish() });
export type EndEvent = z.infer<typeof EndEvent>;

/** An event that changes nothing here: tests, and types that are not acted on. */
export type OtherEvent = z.infer<typeof Base>;

export type RevenueCatEvent = PurchaseEvent | EndEvent | OtherEvent;

export function isPurchase(event: RevenueCatEvent): event is PurchaseEvent {
  return (PURCHASE_TYPES as readonly string[]).includes(event.type);
}

export function isEnd(event: RevenueCatEvent): event is EndEvent {
  return (END_TYPES as readonly string[]).includes(event.type);
}

/** The shape of an event of this type. */
function shapeOf(type: unknown): z.ZodType<RevenueCatEvent> {
  if ((PURCHASE_TYPES as readonly unknown[]).includes(type)) return PurchaseEvent;
  if ((END_TYPES as readonly unknown[]).includes(type)) return EndEvent;
  return Base;
}

/** A whole body. The event's type decides what must be in it. */
export const WebhookBody = z
  .looseObject({ event: z.looseObject({ type: z.string().optional() }) })
  .transform((body, context): { event: RevenueCatEvent } => {
    const parsed = shapeOf(body.event.type).safeParse(body.event);
    if (parsed.success) return { event: parsed.data };
    for (const issue of parsed.error.issues) {
      context.addIssue({ code: "custom", message: issue.message, path: ["event", ...issue.path] });
    }
    return z.NEVER;
  });
