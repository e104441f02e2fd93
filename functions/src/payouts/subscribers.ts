import type { Subscriber } from "../platform/outbox.ts";
import { withdrawals } from "./records.ts";
import { carryOn } from "./run.ts";
import { payoutNotices } from "./tell.ts";

/** What payouts do when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  ...payoutNotices,
  {
    // A webhook says that a payout has failed; taking it back is not the webhook's work.
    name: "payouts/take-back-what-failed",
    type: "withdrawal.failed",
    react: async ({ data }) => {
      const id = String(data.withdrawal);
      const current = (await withdrawals().doc(id).get()).data();
      if (current) await carryOn(id, current);
    },
  },
];
