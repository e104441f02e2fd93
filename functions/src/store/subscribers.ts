import type { Subscriber } from "../platform/outbox.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";

/** What the store does when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  {
    name: "store/grant-waiting-purchases",
    type: "catalog.defined",
    react: async ({ id, data }) => {
      await retryWaitingFor(`product:${data.product}`, id);
    },
  },
];
