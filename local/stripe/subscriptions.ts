import type Stripe from "stripe";
import { all, type Context, DAY, get, keep, now } from "./context.ts";
import { invalid, StripeError } from "./errors.ts";
import { emit } from "./events.ts";
import { newId } from "./ids.ts";
import { awaitFirstPayment, collect, intentOf, payInvoice } from "./invoice-payments.ts";
import { finalize, newInvoice } from "./invoices.ts";
import { planOf } from "./prices.ts";
import { currentEnd, currentStart, nextEnd, periodLines, schedule, setPeriod } from "./renewals.ts";
import { end } from "./subscription-status.ts";

/** New subscriptions and their first invoice: https://docs.stripe.com/api/subscriptions/create */

export interface NewSubscription {
  readonly customer: string;
  readonly items: readonly {
    readonly price: Stripe.Price;
    readonly quantity: number;
    readonly metadata?: Record<string, string>;
  }[];
  readonly metadata?: Record<string, string>;
  readonly description?: string | null;
  readonly method?: string | null;
  readonly trialEnd?: number | null;
  readonly missingMethod?: "cancel" | "create_invoice" | "pause";
  readonly isCancelingAtEnd?: boolean;
  readonly cancelAt?: number | null;
  readonly collection?: "charge_automatically" | "send_invoice";
  readonly daysUntilDue?: number | null;
  readonly behavior?: PaymentBehavior;
  readonly isOffSession?: boolean;
}

/** What becomes of a subscription whose first payment fails. */
export type PaymentBehavior =
  | "allow_incomplete"
  | "default_incomplete"
  | "error_if_incomplete"
  | "pending_if_incomplete";

const MAX_ITEMS = 20;
const MAX_SUBSCRIPTIONS = 500;
const MAX_TRIAL_DAYS = 730;

export function trialEndOf(
  context: Context,
  { trial_end, trial_period_days }: { trial_end?: number | undefined; trial_period_days?: number | undefined },
): number | null {
  if (trial_period_days !== undefined && trial_period_days > MAX_TRIAL_DAYS) {
    throw invalid(`Trials last at most ${MAX_TRIAL_DAYS} days.`, { param: "trial_period_days" });
  }
  const trialEnd = trial_end ?? (trial_period_days === undefined ? null : now(context) + trial_period_days * DAY);
  return trialEnd === null || trialEnd <= now(context) ? null : trialEnd;
}

/** Makes a subscription and has its first invoice paid. Throws StripeError for prices that do not go together. */
export function newSubscription(context: Context, given: NewSubscription): Stripe.Subscription {
  const currency = checkItems(context, given);
  const { behavior = "allow_incomplete", trialEnd = null } = given;
  const subscription = shapeOf(context, given, currency);
  keep(context, "subscription", subscription);
  for (const item of subscription.items.data) keep(context, "subscription_item", item);
  const customer = get(context, "customer", given.customer);
  customer.currency ??= currency;
  emit(context, "customer.subscription.created", subscription);
  const invoice = newInvoice(context, {
    customer: given.customer,
    currency,
    reason: "subscription_create",
    subscription,
    lines: periodLines(subscription).map((line) =>
      trialEnd === null ? line : { ...line, amount: 0, description: `Trial period for ${line.description}` },
    ),
    period: { start: currentStart(subscription), end: currentEnd(subscription) },
    collection: subscription.collection_method,
    daysUntilDue: subscription.days_until_due,
  });
  finalize(context, invoice);
  if (invoice.amount_remaining === 0) collect(context, invoice);
  else if (behavior === "default_incomplete") intentOf(context, invoice);
  else if (subscription.collection_method === "charge_automatically") payFirst(context, subscription, invoice, given);
  if (subscription.status === "incomplete") awaitFirstPayment(context, subscription);
  schedule(context, subscription);
  return subscription;
}

export function newItem(
  subscription: string,
  price: Stripe.Price,
  quantity: number,
  period: { start: number; end: number },
  created: number,
): Stripe.SubscriptionItem {
  return {
    id: newId("si", 14),
    object: "subscription_item",
    billing_thresholds: null,
    created,
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: {},
    plan: planOf(price),
    price,
    quantity,
    subscription,
    tax_rates: [],
  };
}

function payFirst(
  context: Context,
  subscription: Stripe.Subscription,
  invoice: Stripe.Invoice,
  { behavior, isOffSession = true }: NewSubscription,
): void {
  try {
    payInvoice(context, invoice, { isOffSession });
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    // Without a card there is nothing to try: that is the caller's mistake, whatever the behavior.
    if (behavior !== "error_if_incomplete" && error.type === "card_error") return;
    end(context, subscription, "payment_failed");
    context.simulator.store.remove("subscription", subscription.id);
    throw error;
  }
}

function checkItems(context: Context, { customer, items }: NewSubscription): string {
  get(context, "customer", customer, "customer");
  const [first] = items;
  if (first === undefined || items.length > MAX_ITEMS)
    throw invalid(`Subscriptions have 1 to ${MAX_ITEMS} items.`, { param: "items" });
  for (const { price } of items) {
    if (price.recurring === null) {
      throw invalid(
        `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
        { param: "items[0][price]" },
      );
    }
    if (price.currency !== first.price.currency)
      throw invalid("All prices of a subscription must be in the same currency.", { param: "items" });
    if (
      price.recurring.interval !== first.price.recurring?.interval ||
      price.recurring.interval_count !== first.price.recurring.interval_count
    ) {
      throw invalid("The simulator bills all items of a subscription at the same interval.", { param: "items" });
    }
  }
  const held = all(context, "subscription").filter(
    (other) => other.customer === customer && other.status !== "canceled",
  );
  if (held.length >= MAX_SUBSCRIPTIONS)
    throw invalid(`A customer has at most ${MAX_SUBSCRIPTIONS} subscriptions.`, { code: "customer_max_subscriptions" });
  return first.price.currency;
}

function statusOf({ trialEnd = null, collection }: NewSubscription): Stripe.Subscription.Status {
  if (trialEnd !== null) return "trialing";
  return collection === "send_invoice" ? "active" : "incomplete";
}

function shapeOf(context: Context, given: NewSubscription, currency: string): Stripe.Subscription {
  const id = newId("sub");
  const created = now(context);
  const { trialEnd = null } = given;
  const subscription: Stripe.Subscription = {
    id,
    object: "subscription",
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: trialEnd ?? created,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: "included" }, type: "flexible" },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: given.cancelAt ?? null,
    cancel_at_period_end: given.isCancelingAtEnd ?? false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: given.collection ?? "charge_automatically",
    created,
    currency,
    customer: given.customer,
    customer_account: null,
    days_until_due: given.daysUntilDue ?? null,
    default_payment_method: given.method ?? null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: "self" },
    },
    items: { object: "list", data: [], has_more: false, url: `/v1/subscription_items?subscription=${id}` },
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata ?? {},
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: "off" },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: created,
    status: statusOf(given),
    test_clock: null,
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: {
      end_behavior: { billing_cycle_anchor: null, missing_payment_method: given.missingMethod ?? "create_invoice" },
    },
    trial_start: trialEnd === null ? null : created,
  };
  subscription.items.data = given.items.map(({ price, quantity, metadata = {} }) => ({
    ...newItem(id, price, quantity, { start: created, end: created }, created),
    metadata,
  }));
  setPeriod(subscription, created, trialEnd ?? nextEnd(subscription, created));
  if (subscription.cancel_at_period_end) subscription.cancel_at = currentEnd(subscription);
  return subscription;
}
