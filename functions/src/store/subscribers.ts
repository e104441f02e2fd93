import { log } from "../platform/log.ts";
import type { Subscriber } from "../platform/outbox.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";
import { giftDecided } from "./gifts/review.ts";
import { stripeReactions } from "./stripe/reactions.ts";
import { stripeSubscribers } from "./stripe/subscribers.ts";
import { storeNotices } from "./tell.ts";
import { waitingForProduct } from "./waiting.ts";
import { decided } from "./withheld.ts";

/** Tells that a subscription goes on as another product, at once or later. */
export const SUBSCRIPTION_CHANGED = "subscription.changed";

/** What the store does when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  ...stripeSubscribers,
  ...stripeReactions,
  {
    name: "store/grant-waiting-purchases",
    type: "catalog.defined",
    react: async ({ id, data }) => {
      await retryWaitingFor(waitingForProduct(String(data.product)), id);
    },
  },
  {
    name: "store/retry-customers-webhooks",
    type: "customer.known",
    react: async ({ id, data: { customers } }) => {
      const known = Array.isArray(customers) ? customers : [];
      for (const customer of known) await retryWaitingFor(`customer:${String(customer)}`, id);
    },
  },
  {
    name: "store/follow-changed-subscription",
    type: SUBSCRIPTION_CHANGED,
    react: async ({ data }) => {
      const { fetchCustomer } = await import("./revenuecat/subscriber.ts");
      const { follow } = await import("./revenuecat/follow.ts");
      await follow(await fetchCustomer(String(data.user)));
    },
  },
  { name: "store/settle-reviewed-purchases", type: "review.decided", react: ({ data }) => decided(data) },
  { name: "store/settle-reviewed-gifts", type: "review.decided", react: ({ data }) => giftDecided(data) },
  {
    name: "store/alarm-of-rejected-purchases",
    type: "purchase.rejected",
    react: async ({ data: { purchase, user, product, by } }) => {
      log.warn("purchase rejected", {
        purchase: String(purchase),
        user: String(user),
        product: String(product),
        by: String(by),
      });
    },
  },
  // After what they tell of has been done.
  ...storeNotices,
];
