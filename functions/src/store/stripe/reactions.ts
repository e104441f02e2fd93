import * as z from "zod";
import type { Subscriber } from "../../platform/outbox.ts";

/** What is done at Stripe when something has happened elsewhere. Loaded when it is needed: most events are about something else. */

/** The event `purchase.rejected`, as far as it matters here. */
const Rejected = z.object({ purchase: z.string(), store: z.string(), by: z.string() });

/** The event `stripe.object-missed`: Stripe's books have an object that ours do not know. */
const Missed = z.object({ object: z.string(), type: z.string() });

export const stripeReactions: readonly Subscriber[] = [
  {
    name: "store/refund-rejected-purchase",
    type: "purchase.rejected",
    react: async ({ data }) => {
      const { refundRejected } = await import("./rejected.ts");
      await refundRejected(Rejected.parse(data));
    },
  },
  {
    name: "store/settle-missed-object",
    type: "stripe.object-missed",
    react: async ({ data }) => {
      const { settleMissed } = await import("./missed.ts");
      await settleMissed(Missed.parse(data));
    },
  },
];
