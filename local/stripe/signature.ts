import { createHmac } from "node:crypto";

/** The `Stripe-Signature` of a webhook sent at this second: https://docs.stripe.com/webhooks#verify-manually */
export function signature(secret: string, seconds: number, payload: string): string {
  const digest = createHmac("sha256", secret).update(`${seconds}.${payload}`).digest("hex");
  return `t=${seconds},v1=${digest}`;
}
