import type Stripe from "stripe";
import * as z from "zod";
import { type Context, get, idOf, now } from "../context.ts";
import { invalid } from "../errors.ts";
import { change, emit } from "../events.ts";
import { is, isWithin, listOf } from "../list.ts";
import {
  changeMetadata,
  clearable,
  count,
  defined,
  flag,
  id,
  integer,
  list,
  metadata,
  newMetadata,
  none,
  page,
  range,
  text,
} from "../params.ts";
import { attach, checkPays, methodOf } from "../payment-methods.ts";
import { chosenPrice } from "../prices.ts";
import { currentEnd, schedule, setPeriod } from "../renewals.ts";
import { type Route, route } from "../router.ts";
import { searchOf } from "../search.ts";
import { cancelNow, changeItems, restart } from "../subscription-changes.ts";
import { OVER, setStatus } from "../subscription-status.ts";
import { newSubscription, trialEndOf } from "../subscriptions.ts";
import { priceData } from "./products.ts";

/** https://docs.stripe.com/api/subscriptions */

export const proration_behavior = z.enum(["always_invoice", "create_prorations", "none"]).optional();
const payment_behavior = z
  .enum(["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"])
  .optional();
const trialEnd = z.preprocess((value) => (value === "now" ? "0" : value), integer);
const common = {
  cancel_at: clearable(integer).optional(),
  cancel_at_period_end: flag.optional(),
  collection_method: z.enum(["charge_automatically", "send_invoice"]).optional(),
  days_until_due: count.optional(),
  default_payment_method: clearable(id).optional(),
  description: clearable(text).optional(),
  metadata: metadata.optional(),
  off_session: flag.optional(),
  payment_behavior,
  payment_settings: z
    .strictObject({
      save_default_payment_method: z.enum(["off", "on_subscription"]).optional(),
      payment_method_types: z.unknown().optional(),
    })
    .optional(),
  proration_behavior,
  trial_end: trialEnd.optional(),
  trial_settings: z
    .strictObject({
      end_behavior: z.strictObject({ missing_payment_method: z.enum(["cancel", "create_invoice", "pause"]) }),
    })
    .optional(),
};
const newItem = z.strictObject({
  price: id.optional(),
  price_data: priceData.optional(),
  quantity: count.optional(),
  metadata: metadata.optional(),
});
const Create = z.strictObject({
  ...common,
  billing_mode: z.unknown().optional(),
  currency: text.optional(),
  customer: id,
  items: list(newItem, 20),
  trial_period_days: count.optional(),
});
const Update = z.strictObject({
  ...common,
  billing_cycle_anchor: z.enum(["now", "unchanged"]).optional(),
  cancellation_details: z
    .strictObject({ comment: clearable(text).optional(), feedback: clearable(text).optional() })
    .optional(),
  items: list(newItem.extend({ id: id.optional(), deleted: flag.optional() }), 20).optional(),
  pause_collection: clearable(
    z.strictObject({
      behavior: z.enum(["keep_as_draft", "mark_uncollectible", "void"]),
      resumes_at: integer.optional(),
    }),
  ).optional(),
});
const Cancel = z.strictObject({
  cancellation_details: z.strictObject({ comment: text.optional(), feedback: text.optional() }).optional(),
  invoice_now: flag.optional(),
  prorate: flag.optional(),
});
const List = z.strictObject({
  ...page,
  created: range.optional(),
  customer: id.optional(),
  price: id.optional(),
  status: text.optional(),
});
const Search = z.strictObject({ query: text, limit: page.limit, page: text.optional() });
export const subscriptions: readonly Route[] = [
  route("POST", "/v1/subscriptions", Create, (context, given) => create(context, given)),
  route("GET", "/v1/subscriptions/search", Search, (context, params) =>
    searchOf(context, "subscription", params, "/v1/subscriptions/search"),
  ),
  route("GET", "/v1/subscriptions/:id", none, (context, _, id) => get(context, "subscription", id)),
  route("POST", "/v1/subscriptions/:id", Update, (context, given, id) =>
    update(context, get(context, "subscription", id), given),
  ),
  route("DELETE", "/v1/subscriptions/:id", Cancel, (context, given, id) => {
    const subscription = get(context, "subscription", id);
    const { comment, feedback } = given.cancellation_details ?? {};
    subscription.cancellation_details = {
      comment: comment ?? null,
      feedback: feedback ?? null,
      feedback_option: null,
      reason: null,
    };
    return cancelNow(context, subscription, {
      isProrating: given.prorate ?? false,
      isInvoicing: given.invoice_now ?? false,
    });
  }),
  route(
    "POST",
    "/v1/subscriptions/:id/resume",
    z.strictObject({ billing_cycle_anchor: text.optional(), proration_behavior }),
    (context, _, id) => {
      const subscription = get(context, "subscription", id);
      if (subscription.status !== "paused") throw invalid("Only paused subscriptions can be resumed.");
      setStatus(context, subscription, "active", "customer.subscription.resumed");
      restart(context, subscription);
      schedule(context, subscription);
      return subscription;
    },
  ),
  route("GET", "/v1/subscriptions", List, (context, { created, customer, price, status, ...params }) =>
    listOf(
      context,
      "subscription",
      params,
      "/v1/subscriptions",
      (subscription) =>
        is(customer, subscription.customer) &&
        isWithin(subscription.created, created) &&
        hasStatus(subscription, status) &&
        (price === undefined || subscription.items.data.some((item) => item.price.id === price)),
    ),
  ),
];

/** All but the canceled ones, unless asked otherwise. */
function hasStatus(subscription: Stripe.Subscription, wanted: string | undefined): boolean {
  if (wanted === "all") return true;
  if (wanted === "ended") return OVER.has(subscription.status);
  return wanted === undefined ? subscription.status !== "canceled" : subscription.status === wanted;
}

function create(context: Context, given: z.output<typeof Create>): Stripe.Subscription {
  get(context, "customer", given.customer, "customer");
  return newSubscription(context, {
    customer: given.customer,
    items: given.items.map((item, i) => ({
      price: chosenPrice(context, item, `items[${i}]`),
      quantity: item.quantity ?? 1,
      metadata: newMetadata(item.metadata),
    })),
    metadata: newMetadata(given.metadata),
    description: given.description ?? null,
    method: given.default_payment_method
      ? attach(context, methodOf(context, given.default_payment_method), given.customer).id
      : null,
    trialEnd: trialEndOf(context, given),
    isCancelingAtEnd: given.cancel_at_period_end ?? false,
    cancelAt: given.cancel_at ?? null,
    daysUntilDue: given.days_until_due ?? null,
    isOffSession: given.off_session ?? false,
    ...(given.trial_settings === undefined
      ? {}
      : { missingMethod: given.trial_settings.end_behavior.missing_payment_method }),
    ...(given.collection_method === undefined ? {} : { collection: given.collection_method }),
    ...(given.payment_behavior === undefined ? {} : { behavior: given.payment_behavior }),
  });
}

function update(
  context: Context,
  subscription: Stripe.Subscription,
  given: z.output<typeof Update>,
): Stripe.Subscription {
  if (
    OVER.has(subscription.status) &&
    Object.keys(given).some((name) => name !== "metadata" && name !== "cancellation_details")
  ) {
    throw invalid("A canceled subscription can only update its cancellation_details and metadata.");
  }
  if (given.items !== undefined) {
    checkPayment(context, subscription, given);
    const changes = given.items.map((item, i) => ({
      id: item.id,
      isDeleted: item.deleted,
      quantity: item.quantity,
      price:
        item.price === undefined && item.price_data === undefined
          ? undefined
          : chosenPrice(context, item, `items[${i}]`),
    }));
    changeItems(context, subscription, changes, given.proration_behavior ?? "create_prorations");
  }
  change(context, subscription, (changed) => apply(context, changed, given), "customer.subscription.updated");
  if (!OVER.has(subscription.status)) schedule(context, subscription);
  if (given.trial_end !== undefined) changeTrial(context, subscription, given.trial_end);
  else if (given.billing_cycle_anchor === "now") {
    restart(context, subscription);
    schedule(context, subscription);
  }
  return subscription;
}

/** A change that has to be paid now is not made at all if it cannot be, on demand. */
function checkPayment(
  context: Context,
  subscription: Stripe.Subscription,
  { payment_behavior, proration_behavior }: z.output<typeof Update>,
): void {
  if (payment_behavior === "pending_if_incomplete") {
    throw invalid("The simulator does not keep pending updates.", { param: "payment_behavior" });
  }
  if (payment_behavior !== "error_if_incomplete" || proration_behavior !== "always_invoice") return;
  const customer = get(context, "customer", idOf(subscription.customer) ?? "");
  const method = idOf(subscription.default_payment_method) ?? idOf(customer.invoice_settings.default_payment_method);
  if (method === undefined) throw invalid("This customer has no attached payment source or default payment method.");
  checkPays(context, method);
}

function apply(context: Context, subscription: Stripe.Subscription, given: z.output<typeof Update>): void {
  const { default_payment_method, collection_method, days_until_due, description, pause_collection } = given;
  Object.assign(subscription, defined({ collection_method, days_until_due, description }));
  if (default_payment_method !== undefined) {
    const customer = String(subscription.customer);
    subscription.default_payment_method =
      default_payment_method === null ? null : attach(context, methodOf(context, default_payment_method), customer).id;
  }
  applyEnding(context, subscription, given);
  if (pause_collection !== undefined) {
    subscription.pause_collection =
      pause_collection === null
        ? null
        : { behavior: pause_collection.behavior, resumes_at: pause_collection.resumes_at ?? null };
  }
  if (given.trial_settings !== undefined)
    subscription.trial_settings = {
      end_behavior: { billing_cycle_anchor: null, ...given.trial_settings.end_behavior },
    };
  changeMetadata(subscription.metadata, given.metadata);
}

function applyEnding(
  context: Context,
  subscription: Stripe.Subscription,
  { cancel_at, cancel_at_period_end, cancellation_details }: z.output<typeof Update>,
): void {
  if (cancel_at_period_end !== undefined) {
    subscription.cancel_at_period_end = cancel_at_period_end;
    subscription.cancel_at = cancel_at_period_end ? currentEnd(subscription) : null;
    subscription.canceled_at = cancel_at_period_end ? now(context) : null;
    if (subscription.cancellation_details !== null)
      subscription.cancellation_details.reason = cancel_at_period_end ? "cancellation_requested" : null;
  }
  if (cancel_at !== undefined) {
    subscription.cancel_at = cancel_at;
    subscription.canceled_at = cancel_at === null ? null : now(context);
  }
  if (cancellation_details !== undefined) Object.assign(subscription.cancellation_details ?? {}, cancellation_details);
}

/** A trial that ends now is billed now. */
function changeTrial(context: Context, subscription: Stripe.Subscription, trialEnd: number): void {
  const isOver = trialEnd <= now(context);
  const wasTrialing = subscription.status === "trialing";
  subscription.trial_end = isOver ? now(context) : trialEnd;
  if (isOver && wasTrialing) {
    setStatus(context, subscription, "active");
    restart(context, subscription);
  } else if (!isOver) {
    setPeriod(subscription, now(context), trialEnd);
    subscription.billing_cycle_anchor = trialEnd;
    subscription.trial_start ??= now(context);
    setStatus(context, subscription, "trialing");
    if (wasTrialing) emit(context, "customer.subscription.updated", subscription);
  }
  schedule(context, subscription);
}
