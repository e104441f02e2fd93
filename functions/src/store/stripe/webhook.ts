import type { Request } from "firebase-functions/v2/https";
import Stripe from "stripe";
import { now } from "../../platform/clock.ts";
import { config, secrets } from "../../platform/config.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { WebhookSource } from "../../platform/webhooks.ts";
import { StripeEvent, subjectOf } from "./event.ts";
import { ignored, lookAt, type Settle } from "./look.ts";

/** Against signatures that were overheard: https://docs.stripe.com/webhooks#replay-attacks */
const TOLERANCE_SECONDS = 300;

/** Stripe's webhooks of our own account; those of connected accounts come elsewhere. Source: https://docs.stripe.com/webhooks */
export const stripeWebhooks: WebhookSource = {
  name: "stripe",

  authenticate(request: Request): void {
    const secret = secrets.stripeWebhookSecret.value();
    const signature = request.get("stripe-signature") ?? "";
    try {
      if (secret === "") throw new Error("no secret is set");
      const body = request.rawBody ?? "";
      Stripe.webhooks.constructEvent(body, signature, secret, TOLERANCE_SECONDS, undefined, now());
    } catch {
      throw new Failure("unauthenticated", "The signature is not Stripe's, or too old.", { reason: "wrong-signature" });
    }
  },

  read(body) {
    const event = parseInput(StripeEvent, body);
    let settle: Settle | undefined;
    return {
      id: event.id,
      type: event.type,
      body: JSON.stringify(event),
      look: async () => {
        settle = await settleOf(event);
      },
      carryOut: async (tx) => {
        if (!settle) throw new Error(`${event.id} was not looked at`);
        return await settle(tx);
      },
    };
  },
};

async function settleOf(event: StripeEvent): Promise<Settle> {
  if (event.account) return ignored("connected-account");
  if (!event.livemode && !config.grantSandboxPurchases.value()) return ignored("sandbox");
  const subject = subjectOf(event);
  return subject ? await lookAt(subject, { isLive: event.livemode, asOf: now() }) : ignored("type-not-handled");
}
