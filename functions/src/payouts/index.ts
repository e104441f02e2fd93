import type { WebhookSource } from "../platform/webhooks.ts";

/** Money on its way to users' banks, by Stripe. */

export async function webhookSources(): Promise<readonly WebhookSource[]> {
  return [(await import("./webhook.ts")).stripeConnect];
}

export { reconcileYesterday } from "./reconcile/run.ts";
export { Again, runTask, sweepWithdrawals } from "./run.ts";
export { subscribers } from "./subscribers.ts";
