import { transact } from "../../platform/firestore.ts";
import type { Subscriber } from "../../platform/outbox.ts";
import { hear } from "../hear.ts";
import { PERIOD_REPLACED } from "./invoice.ts";

/** What a period of a subscription ends that was switched from. */
export const stripeSubscribers: readonly Subscriber[] = [
  {
    name: "store/end-replaced-period",
    type: PERIOD_REPLACED,
    react: async ({ data }) => {
      await transact((tx) => hear(tx, String(data.purchase), { kind: "ended", at: Number(data.at) }));
    },
  },
];
