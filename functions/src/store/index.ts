import type { WebhookSource } from "../platform/webhooks.ts";

/** What is sold, what it gives, and who has what: catalog, purchases, inventory, entitlements. */

/** The vendors whose webhooks the store carries out. */
export async function webhookSources(): Promise<readonly WebhookSource[]> {
  const [{ revenueCat }, { stripeWebhooks }] = await Promise.all([
    import("./revenuecat/webhook.ts"),
    import("./stripe/webhook.ts"),
  ]);
  return [revenueCat, stripeWebhooks];
}

/** What schedules and tasks do, each loaded when it is first due. */
export const expireGifts = async () => await (await import("./gifts/return.ts")).expireGifts();
export const numberReceipts = async () => await (await import("./receipts/number.ts")).numberReceipts();
export const sweepReceipts = async () => await (await import("./receipts/number.ts")).sweepReceipts();
export const countHot = async () => await (await import("./shop/hot.ts")).countHot();
/** Goes on with refunds that Stripe has not answered; returns how many there were. */
export async function settleRefunds(): Promise<number> {
  const { settleRefunds: settle } = await import("./stripe/refund.ts");
  return await settle();
}

/** Compares what the vendors have sold with what they say of it now, and sets right what differs. */
export async function reconcileStores(): Promise<void> {
  const { reconcileRevenueCat } = await import("./revenuecat/reconcile.ts");
  await reconcileRevenueCat();
}

export { subscribers } from "./subscribers.ts";
