import type { Request } from "firebase-functions/v2/https";
import { type Assessment, assess } from "../../fraud/index.ts";
import { config, secrets } from "../../platform/config.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { equalSecrets } from "../../platform/ids.ts";
import { emit } from "../../platform/outbox.ts";
import { type Outcome, Postponed, type WebhookSource } from "../../platform/webhooks.ts";
import { productOf } from "../catalog.ts";
import { grant } from "../grant.ts";
import { hear } from "../hear.ts";
import { purchaseId, withPrice } from "../purchase.ts";
import { purchases } from "../records.ts";
import { subjectOf } from "../subject.ts";
import { SUBSCRIPTION_CHANGED } from "../subscribers.ts";
import { waitingForCustomer, waitingForProduct, waitingForPurchase } from "../waiting.ts";
import { alias } from "./alias.ts";
import { currency } from "./currency.ts";
import { findUser, idsOf, isUser, moved } from "./customer.ts";
import { type NewsEvent, type OtherEvent, type PurchaseEvent, type RevenueCatEvent, WebhookBody } from "./event.ts";
import { evidenceOf, heardOfSandbox } from "./evidence.ts";
import { factOf, newsOf } from "./fact.ts";
import { endTemporary, temporary } from "./temporary.ts";
import { transfer } from "./transfer.ts";

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
    const read = parseInput(WebhookBody, body);
    const { event } = read;
    // What is kept to be tried again does not need to know anything about the person.
    const { subscriber_attributes: _personal, ...kept } = event;
    let assessment: Assessment | undefined;
    return {
      id: event.id,
      type: event.type,
      body: JSON.stringify({ event: kept }),
      look: async () => {
        assessment = await judged(read);
      },
      carryOut: (tx, retry) => carryOut(tx, read, { retry, assessment }),
    };
  },
};

/**
 * What the rules against fraud make of a purchase whose buyer is named and whose product is known. It is judged before the transaction, so
 * that nothing waits for it.
 */
async function judged(read: RevenueCatEvent): Promise<Assessment | undefined> {
  if (read.kind !== "purchase" || isNotTaken(read)) return undefined;
  const { event } = read;
  const [user, product] = [idsOf(event).find(isUser), await productOf(event.product_id)];
  if (user === undefined || !product) return undefined;
  return await assess(subjectOf(factOf(user, event), product, evidenceOf(event)));
}

interface Try {
  readonly retry: boolean;
  /** Undefined while it could not be made. */
  readonly assessment: Assessment | undefined;
}

/** Types that change nothing here, with why. Any other that is not known is of tomorrow. */
const NOTED: Readonly<Record<string, string>> = {
  BILLING_ISSUE: "no-purchase-named",
  EXPERIMENT_ENROLLMENT: "experiment",
  INVOICE_ISSUANCE: "not-paid-yet",
  PRICE_INCREASE_CONSENT_APPROVED: "price",
  PRICE_INCREASE_CONSENT_REQUIRED: "price",
  PRODUCT_CHANGE: "no-purchase-named",
  PURCHASE_REDEEMED: "told-by-transfer",
};

async function carryOut(tx: Transaction, read: RevenueCatEvent, tried: Try): Promise<Outcome> {
  if (isNotTaken(read)) {
    if (read.kind === "purchase") await heardOfSandbox(tx, read.event);
    return { result: "ignored", reason: "sandbox" };
  }
  switch (read.kind) {
    case "purchase":
      return await purchase(tx, read.event, tried);
    case "news":
      return await news(tx, read.event);
    case "transfer":
      return await transfer(tx, read.event);
    case "alias":
      return await alias(tx, read.event);
    case "temporary":
      return await temporary(tx, read.event);
    case "currency":
      return await currency(tx, read.event, tried.retry);
    case "other":
      return other(read.event);
  }
}

function isNotTaken(read: RevenueCatEvent): boolean {
  return isFromSandbox(read) && !config.grantSandboxPurchases.value();
}

function isFromSandbox({ event }: RevenueCatEvent): boolean {
  return event.type !== "TEST" && (event.environment === "SANDBOX" || event.purchase_environment === "SANDBOX");
}

function other({ type }: OtherEvent): Outcome {
  if (type === "TEST") return { result: "test" };
  const reason = Object.hasOwn(NOTED, type) ? NOTED[type] : undefined;
  return reason === undefined ? { result: "ignored", reason: "type-not-handled" } : { result: "noted", reason };
}

async function purchase(tx: Transaction, event: PurchaseEvent, { retry, ...before }: Try): Promise<Outcome> {
  const id = purchaseId(keyOf(event));
  const ids = idsOf(event);
  const looked = retry || !ids.some(isUser);
  const known = looked ? (await tx.get(purchases().doc(id))).data() : undefined;
  if (known && known.state !== "foretold") {
    // An app that has synced may have had it granted before its price was known.
    const priced = withPrice(known, factOf(known.user, event).price);
    if (priced) tx.set(purchases().doc(id), priced);
    return { result: "already-granted", purchase: id };
  }
  const user = await findUser(tx, ids);
  if (user === undefined) {
    throw new Postponed("unknown-user", waitingForPurchase(id), waitingForCustomer(event.app_user_id));
  }
  const product = await productOf(event.product_id);
  if (!product) throw new Postponed("unknown-product", waitingForProduct(event.product_id));
  const fact = await moved(tx, factOf(user, event), product);
  const assessment = before.assessment ?? (await assess(subjectOf(fact, product, evidenceOf(event))));
  return await grant(tx, fact, { product, via: "webhook", known, assessment });
}

async function news(tx: Transaction, event: NewsEvent): Promise<Outcome> {
  const id = purchaseId(keyOf(event));
  const heard = newsOf(event);
  if (!heard) return { result: "noted", reason: "changes-nothing", purchase: id };
  const ended = await endTemporary(tx, event);
  const outcome = ended ?? (await hear(tx, id, heard));
  if (heard.kind === "changed") lookSoon(tx, event, outcome);
  return outcome;
}

/** A change may be for now or for later, and the event does not say which: how things stand then is asked for. */
function lookSoon(tx: Transaction, { id, app_user_id }: NewsEvent, { user }: Outcome): void {
  const known = typeof user === "string" ? user : app_user_id;
  if (known && isUser(known)) emit(tx, { type: SUBSCRIPTION_CHANGED, key: id, data: { user: known } });
}

function keyOf({ environment, store, transaction_id }: PurchaseEvent | NewsEvent): Parameters<typeof purchaseId>[0] {
  return { environment, store, transaction: transaction_id };
}
