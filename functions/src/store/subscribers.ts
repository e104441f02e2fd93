import type { Subscriber } from "../platform/outbox.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";
import { stripeSubscribers } from "./stripe/subscribers.ts";
import { waitingForProduct } from "./waiting.ts";

/** What the store does when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  ...stripeSubscribers,
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
];
