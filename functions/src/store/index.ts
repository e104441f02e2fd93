import type { WebhookSource } from "../platform/webhooks.ts";

/** What is sold, what it gives, and who has what: catalog, purchases, inventory, entitlements. */

/** The vendors whose webhooks the store carries out. */
export async function webhookSources(): Promise<readonly WebhookSource[]> {
  const { revenueCat } = await import("./revenuecat/webhook.ts");
  return [revenueCat];
}

export { expireGifts } from "./gifts/return.ts";
export { numberReceipts, sweepReceipts } from "./receipts/number.ts";
export { countHot } from "./shop/hot.ts";
export { subscribers } from "./subscribers.ts";
