import { log } from "../platform/log.ts";
import type { Subscriber } from "../platform/outbox.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";
import { waitingForProduct } from "./waiting.ts";
import { decided } from "./withheld.ts";

/** What the store does when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  {
    name: "store/grant-waiting-purchases",
    type: "catalog.defined",
    react: async ({ id, data }) => {
      await retryWaitingFor(waitingForProduct(String(data.product)), id);
    },
  },
  { name: "store/settle-reviewed-purchases", type: "review.decided", react: ({ data }) => decided(data) },
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
];
