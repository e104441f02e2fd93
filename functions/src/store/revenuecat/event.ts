import * as z from "zod";

/**
 * RevenueCat's webhook bodies. Fields and types that are not named here are let through: RevenueCat adds to them without notice. Only
 * what an event's effect needs must be there.
 * Source: https://www.revenuecat.com/docs/integrations/webhooks/event-types-and-fields
 */

const Millis = z.int().nonnegative();
const Id = z.string().min(1).max(1_500);
const Ids = z.array(Id).max(1_000);
const Text = z.string().nullish();
const Environment = z.enum(["PRODUCTION", "SANDBOX"]);

/** Anything at all: tests, what is only noted, and types of tomorrow. */
const Base = z.looseObject({ type: z.string().min(1).max(100), id: Id });
export type OtherEvent = z.infer<typeof Base>;

/** Who it is about: RevenueCat's app user id, which is ours once somebody has signed in, and all others that mean the same person. */
const Customer = { app_user_id: Id, original_app_user_id: Id.nullish(), aliases: Ids.nullish() };

/** Which payment it is about. */
const Payment = { store: z.string().min(1).max(50), environment: Environment, transaction_id: Id };

export const PurchaseEvent = Base.extend({
  type: z.enum(["INITIAL_PURCHASE", "RENEWAL", "NON_RENEWING_PURCHASE"]),
  event_timestamp_ms: Millis,
  ...Customer,
  ...Payment,
  product_id: Id,
  purchased_at_ms: Millis,
  expiration_at_ms: Millis.nullish(),
  period_type: Text,
  is_family_share: z.boolean().nullish(),
  /** In units of the currency, with a fraction. Negative for a refund. */
  price_in_purchased_currency: z.number().nullish(),
  currency: Text,
});
export type PurchaseEvent = z.infer<typeof PurchaseEvent>;

/** Something has happened to a purchase; when is told by `event_timestamp_ms`, which is not the time of the purchase. */
export const NewsEvent = Base.extend({
  type: z.enum([
    "CANCELLATION",
    "UNCANCELLATION",
    "EXPIRATION",
    "BILLING_ISSUE",
    "SUBSCRIPTION_PAUSED",
    "SUBSCRIPTION_EXTENDED",
    "PRODUCT_CHANGE",
    "REFUND_REVERSED",
  ]),
  ...Payment,
  app_user_id: Id.nullish(),
  event_timestamp_ms: Millis,
  expiration_at_ms: Millis.nullish(),
  cancel_reason: Text,
  price_in_purchased_currency: z.number().nullish(),
  /** Of a billing issue: until when the store lets it go on unpaid. */
  grace_period_expiration_at_ms: Millis.nullish(),
  /** Of a pause. */
  auto_resume_at_ms: Millis.nullish(),
  /** Of a change: `product_id` is the one before. */
  new_product_id: Id.nullish(),
});
export type NewsEvent = z.infer<typeof NewsEvent>;

/** All that one customer had bought is another's now. It names neither products nor transactions. */
export const TransferEvent = Base.extend({
  type: z.literal("TRANSFER"),
  event_timestamp_ms: Millis,
  environment: Environment.nullish(),
  transferred_from: Ids,
  transferred_to: Ids.min(1),
});
export type TransferEvent = z.infer<typeof TransferEvent>;

export const AliasEvent = Base.extend({ type: z.literal("SUBSCRIBER_ALIAS"), ...Customer });
export type AliasEvent = z.infer<typeof AliasEvent>;

/** RevenueCat could not ask the store and believes the app for a day at most; it may name nothing but the customer. */
export const TemporaryEvent = Base.extend({
  type: z.literal("TEMPORARY_ENTITLEMENT_GRANT"),
  ...Customer,
  event_timestamp_ms: Millis,
  store: Text,
  environment: Environment.nullish(),
  transaction_id: Id.nullish(),
  product_id: Id.nullish(),
  expiration_at_ms: Millis.nullish(),
});
export type TemporaryEvent = z.infer<typeof TemporaryEvent>;

/** RevenueCat's own virtual currencies were given or taken. */
export const CurrencyEvent = Base.extend({
  type: z.literal("VIRTUAL_CURRENCY_TRANSACTION"),
  ...Customer,
  virtual_currency_transaction_id: Id.nullish(),
  adjustments: z.array(z.looseObject({ amount: z.int(), currency: z.looseObject({ code: Id }) })).max(100),
  /** `in_app_purchase`, `admin_api`… */
  source: Text,
  product_id: Id.nullish(),
  purchase_environment: Environment.nullish(),
});
export type CurrencyEvent = z.infer<typeof CurrencyEvent>;

export type RevenueCatEvent =
  | { readonly kind: "purchase"; readonly event: PurchaseEvent }
  | { readonly kind: "news"; readonly event: NewsEvent }
  | { readonly kind: "transfer"; readonly event: TransferEvent }
  | { readonly kind: "alias"; readonly event: AliasEvent }
  | { readonly kind: "temporary"; readonly event: TemporaryEvent }
  | { readonly kind: "currency"; readonly event: CurrencyEvent }
  | { readonly kind: "other"; readonly event: OtherEvent };

/** What each kind of event must have; a type that belongs to none of them is `other`. */
const SHAPES: readonly { readonly types: readonly string[]; readonly read: (body: unknown) => Reading }[] = [
  { types: PurchaseEvent.shape.type.options, read: (body) => reading("purchase", PurchaseEvent.safeParse(body)) },
  { types: ["BILLING_ISSUE", "PRODUCT_CHANGE"], read: hint },
  { types: NewsEvent.shape.type.options, read: (body) => reading("news", NewsEvent.safeParse(body)) },
  { types: ["TRANSFER"], read: (body) => reading("transfer", TransferEvent.safeParse(body)) },
  { types: ["SUBSCRIBER_ALIAS"], read: (body) => reading("alias", AliasEvent.safeParse(body)) },
  { types: ["TEMPORARY_ENTITLEMENT_GRANT"], read: (body) => reading("temporary", TemporaryEvent.safeParse(body)) },
  { types: ["VIRTUAL_CURRENCY_TRANSACTION"], read: (body) => reading("currency", CurrencyEvent.safeParse(body)) },
];

type Reading = { readonly read: RevenueCatEvent } | { readonly issues: z.core.$ZodIssue[] };

function reading<Kind extends RevenueCatEvent["kind"]>(
  kind: Kind,
  parsed: z.ZodSafeParseResult<Extract<RevenueCatEvent, { kind: Kind }>["event"]>,
): Reading {
  return parsed.success ? { read: { kind, event: parsed.data } as RevenueCatEvent } : { issues: parsed.error.issues };
}

/** What only tells of what others will tell again need not name a purchase. */
function hint(body: unknown): Reading {
  const news = NewsEvent.safeParse(body);
  return news.success ? reading("news", news) : reading("other", Base.safeParse(body));
}

/** A whole body. The event's type decides what must be in it. */
export const WebhookBody = z
  .looseObject({ event: z.looseObject({ type: z.string().optional() }) })
  .transform((body, context): RevenueCatEvent => {
    const { type } = body.event;
    const shape = SHAPES.find(({ types }) => type !== undefined && types.includes(type));
    const result = shape ? shape.read(body.event) : reading("other", Base.safeParse(body.event));
    if ("read" in result) return result.read;
    for (const issue of result.issues) {
      context.addIssue({ code: "custom", message: issue.message, path: ["event", ...issue.path] });
    }
    return z.NEVER;
  });
