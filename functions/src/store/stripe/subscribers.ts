import { transact } from "../../platform/firestore.ts";
import type { Subscriber } from "../../platform/outbox.ts";
import { hear } from "../hear.ts";

/** An invoice has taken the rest of a period after a switch: `purchase`, the period that it replaces, ended `at`. */
export const PERIOD_REPLACED = "store.period-replaced";

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
