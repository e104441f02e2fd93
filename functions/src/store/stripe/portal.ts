import { randomUUID } from "node:crypto";
import type * as z from "zod";
import type { Caller } from "../../platform/endpoint.ts";
import { ask } from "./ask.ts";
import type { Portal, PortalRequest } from "./contract.ts";
import { customerOf } from "./customer.ts";
import { returnUrl } from "./return-url.ts";

/**
 * A link to Stripe's page on which the caller sees invoices and changes cards and subscriptions, as the settings of it in the dashboard
 * allow. What they do there comes by webhook. Refuses `return-url-not-allowed`, `stripe-refused`, `stripe-unavailable`.
 *
 * Bill: 1 read; the first time of a user 3 reads and 2 writes. Source: https://docs.stripe.com/api/customer_portal/sessions
 */
export async function portal(caller: Caller, request: z.output<typeof PortalRequest>): Promise<Portal> {
  const return_url = returnUrl("returnUrl", request.returnUrl);
  const customer = await customerOf(caller.uid);
  // Each call gives a link of its own; the key is for the client's retries of one call.
  const idempotencyKey = `portal ${randomUUID()}`;
  const { url } = await ask((client) =>
    client.billingPortal.sessions.create({ customer, return_url }, { idempotencyKey }),
  );
  return { url };
}
