import type { Request } from "firebase-functions/v2/https";
import { type Assessment, assess } from "../../fraud/index.ts";
import { config, secrets } from "../../platform/config.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { equalSecrets } from "../../platform/ids.ts";
import { type Outcome, Postponed, type WebhookSource } from "../../platform/webhooks.ts";
import { productOf } from "../catalog.ts";
import { grant } from "../grant.ts";
import { hear } from "../hear.ts";
import { type News, purchaseId, WHOLE } from "../purchase.ts";
import { purchases } from "../records.ts";
import { subjectOf } from "../subject.ts";
import { waitingForProduct, waitingForPurchase } from "../waiting.ts";
import { userOf } from "./customer.ts";
import { type EndEvent, isEnd, isPurchase, type PurchaseEvent, type RevenueCatEvent, WebhookBody } from "./event.ts";
import { evidenceOf, heardOfSandbox, heardOfTransfer } from "./evidence.ts";
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
    // What is kept to be tried again does not need to know anything about the person.
    const { subscriber_attributes: _personal, ...kept } = event;
    let assessment: Assessment | undefined;
    return {
      id: event.id,
      type: event.type,
      body: JSON.stringify({ event: kept }),
      look: async () => {
        assessment = await judged(event);
      },
      carryOut: (tx, retry) => carryOut(tx, event, { retry, assessment }),
    };
  },
};

/** What the rules against fraud make of a purchase, if that is what it is and it can be granted. */
async function judged(event: RevenueCatEvent): Promise<Assessment | undefined> {
  if (!isPurchase(event) || isFromSandbox(event)) return undefined;
  const [user, product] = [userOf(event), await productOf(event.product_id)];
  if (user === undefined || !product) return undefined;
  return await assess(subjectOf(factOf(user, event), product, evidenceOf(event)));
}

function isFromSandbox({ environment }: PurchaseEvent | EndEvent): boolean {
  return environment === "SANDBOX" && !config.grantSandboxPurchases.value();
}

interface Try {
  readonly retry: boolean;
  /** Undefined while it could not be made. */
  readonly assessment: Assessment | undefined;
}

async function carryOut(tx: Transaction, event: RevenueCatEvent, tried: Try): Promise<Outcome> {
  if (event.type === "TEST") return { result: "test" };
  if (event.type === "TRANSFER") await heardOfTransfer(tx, event);
  if (!isPurchase(event) && !isEnd(event)) return { result: "ignored", reason: "type-not-handled" };
  if (isFromSandbox(event)) {
    await heardOfSandbox(tx, event);
    return { result: "ignored", reason: "sandbox" };
  }
  if (isPurchase(event)) return await purchase(tx, event, tried);
  return await hear(tx, purchaseId(keyOf(event)), newsOf(event));
}

async function purchase(tx: Transaction, event: PurchaseEvent, { retry, ...before }: Try): Promise<Outcome> {
  const id = purchaseId(keyOf(event));
  const user = userOf(event);
  const known = retry || user === undefined ? (await tx.get(purchases().doc(id))).data() : undefined;
  if (known && known.state !== "foretold") return { result: "already-granted", purchase: id };
  if (user === undefined) throw new Postponed("unknown-user", waitingForPurchase(id));
  const product = await productOf(event.product_id);
  if (!product) throw new Postponed("unknown-product", waitingForProduct(event.product_id));
  const fact = factOf(user, event);
  const assessment = before.assessment ?? (await assess(subjectOf(fact, product, evidenceOf(event))));
  return await grant(tx, fact, { product, via: "webhook", known, assessment });
}

function keyOf({ environment, store, transaction_id }: PurchaseEvent | EndEvent): Parameters<typeof purchaseId>[0] {
  return { environment, store, transaction: transaction_id };
}

function newsOf(event: EndEvent): News {
  if (event.type === "EXPIRATION") return { kind: "ended", at: event.expiration_at_ms ?? event.event_timestamp_ms };
  const at = event.event_timestamp_ms;
  return isRefund(event) ? { kind: "refunded", at, ...WHOLE } : { kind: "renewalOff", at };
}

/**
 * `CUSTOMER_SUPPORT` is how RevenueCat words a refund; its price is then negative or, for some stores, zero. What does not expire can
 * only be cancelled by a refund.
 */
function isRefund({ cancel_reason, price_in_purchased_currency, expiration_at_ms }: EndEvent): boolean {
  const isSubscription = typeof expiration_at_ms === "number";
  return cancel_reason === "CUSTOMER_SUPPORT" || (price_in_purchased_currency ?? 0) < 0 || !isSubscription;
}
