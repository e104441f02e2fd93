import type { Request } from "firebase-functions/v2/https";
import { config, secrets } from "../../platform/config.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { equalSecrets } from "../../platform/ids.ts";
import { type Outcome, Postponed, type WebhookSource } from "../../platform/webhooks.ts";
import { productOf } from "../catalog.ts";
import { afterNews, cancelled, expired } from "../entitlement.ts";
import { basisOf, grant, type PurchaseFact, purchaseId, readEntitlements } from "../grant.ts";
import { entitlements, purchases } from "../records.ts";
import { refund } from "../refund.ts";
import { userOf } from "./customer.ts";
import { type EndEvent, isEnd, isPurchase, type RevenueCatEvent, WebhookBody } from "./event.ts";
import { factOf } from "./fact.ts";

/** RevenueCat's webhooks. Source: https://www.revenuecat.com/docs/integrations/webhooks */
export const revenueCat: WebhookSource = {
  name: "revenuecat",

  authenticate(request: Request): void {
    if (equalSecrets(request.get("authorization") ?? "", secrets.revenueCatWebhookAuthorization.value())) return;
    throw new Failure("unauthenticated", "The Authorization header is not RevenueCat's.", {
      reason: "wrong-authorization",
    });
  },

  read(body) {
    const { event } = parseInput(WebhookBody, body);
    return { id: event.id, type: event.type, carryOut: (tx, retry) => carryOut(tx, event, retry) };
  },
};

async function carryOut(tx: Transaction, event: RevenueCatEvent, retry: boolean): Promise<Outcome> {
  if (event.type === "TEST") return { result: "test" };
  if (!isPurchase(event) && !isEnd(event)) return { result: "ignored", reason: "type-not-handled" };
  if (event.environment === "SANDBOX" && !config.grantSandboxPurchases.value())
    return { result: "ignored", reason: "sandbox" };
  const user = userOf(event);
  if (user === undefined) throw new Postponed("unknown-user", `customer:${event.app_user_id}`);
  const fact = factOf(user, event);
  return isPurchase(event) ? await purchase(tx, fact, retry) : await end(tx, fact, event);
}

async function purchase(tx: Transaction, fact: PurchaseFact, retry: boolean): Promise<Outcome> {
  const product = await productOf(fact.product);
  if (!product) throw new Postponed("unknown-product", `product:${fact.product}`);
  const known = retry ? (await tx.get(purchases().doc(purchaseId(fact)))).data() : undefined;
  return await grant(tx, fact, { product, via: "webhook", known });
}

/** A refund takes back what was given; any other cancellation only says that there will be no renewal. */
async function end(tx: Transaction, fact: PurchaseFact, event: EndEvent): Promise<Outcome> {
  if (event.type === "CANCELLATION" && isRefund(event)) return await refund(tx, fact);
  const news = event.type === "EXPIRATION" ? expired : cancelled;
  const current = await readEntitlements(tx, fact.user, event.entitlement_ids ?? []);
  const basis = basisOf(purchaseId(fact), fact);
  for (const [name, entitlement] of current)
    tx.set(entitlements(fact.user).doc(name), afterNews(entitlement, basis, news));
  return {
    result: event.type === "EXPIRATION" ? "expired" : "will-not-renew",
    user: fact.user,
    entitlements: [...current.keys()],
  };
}

/** `CUSTOMER_SUPPORT` is how RevenueCat words a refund; its price is then negative or, for some stores, zero. */
function isRefund({ cancel_reason, price_in_purchased_currency }: EndEvent): boolean {
  return cancel_reason === "CUSTOMER_SUPPORT" || (price_in_purchased_currency ?? 0) < 0;
}
