import * as z from "zod";
import { notify } from "../notices/index.ts";
import type { Subscriber } from "../platform/outbox.ts";
import type { State } from "./states.ts";

/** What users are told of their withdrawals, in the app and by mail: `withdrawal-paid` and the like. */

const TOLD: readonly State[] = ["paid", "failed", "returned", "rejected"];

const Told = z.object({
  withdrawal: z.string(),
  user: z.string(),
  currency: z.string(),
  amount: z.int(),
  reason: z.string().optional(),
});

/** Once for each state that a withdrawal comes to. Bill: a write, and another for the mail. */
export const payoutNotices: readonly Subscriber[] = TOLD.map((state) => ({
  name: `payouts/tell-${state}`,
  type: `withdrawal.${state}`,
  react: async ({ data }) => {
    const { user, reason, ...rest } = Told.parse(data);
    const told = { ...rest, ...(reason === undefined ? {} : { reason }) };
    await notify({ user, key: rest.withdrawal, kind: `withdrawal-${state}`, data: told, mail: true });
  },
}));
