import type Stripe from "stripe";
import { type Assessment, assess } from "../../fraud/index.ts";
import { getAll, type Transaction, timestamp } from "../../platform/firestore.ts";
import { isDocumentId } from "../../platform/ids.ts";
import { type Outcome, Postponed } from "../../platform/webhooks.ts";
import { grant } from "../grant.ts";
import { hear } from "../hear.ts";
import { type News, type PurchaseFact, purchaseId, withNews } from "../purchase.ts";
import { type Card, type Foretold, type Product, type Purchase, purchases } from "../records.ts";
import { type Evidence, subjectOf } from "../subject.ts";
import { waitingForOrder } from "../waiting.ts";
import { ask, find, idOf } from "./ask.ts";
import { type Seen, withSeen } from "./order.ts";
import { type Order, orders, type Refund, refunds } from "./records.ts";
import { noted } from "./refund-state.ts";
import { seenOf } from "./top-up.ts";

/** A payment as Stripe has it, with whatever of it has gone back. */
export interface Payment {
  /** When Stripe began to be asked, in milliseconds since the epoch. */
  readonly asOf: number;
  readonly intent: Stripe.PaymentIntent;
  readonly charge: Stripe.Charge | undefined;
  /** Absent if it was not asked, because nothing can have gone back. */
  readonly gone?: Gone;
  /** What the rules against fraud made of what it paid for, if they were asked before the transaction; see judge.ts. */
  readonly assessment?: Assessment | undefined;
}

interface Gone {
  readonly amount: number;
  readonly by: "refund" | "chargeback";
  readonly refunds: readonly Stripe.Refund[];
}

export const STORE = "STRIPE";
/** The product that money for the wallet is recorded as. */
const TOP_UP = "top-up";
/** Stripe's page; nobody refunds one payment more often. */
const MAX_REFUNDS = 100;

/**
 * Asks how a payment stands; undefined if it is not there.
 * @param isNews whether something may have gone back, or come again, that the charge itself does not show
 */
export async function lookAtPayment(id: string, asOf: number, isNews: boolean): Promise<Payment | undefined> {
  const intent = await find((client) => client.paymentIntents.retrieve(id, { expand: ["latest_charge"] }));
  return intent && (await withGone(intent, asOf, isNews));
}

/** A payment that was fetched with its charge, and what of it has gone back. */
export async function withGone(intent: Stripe.PaymentIntent, asOf: number, isNews: boolean): Promise<Payment> {
  const charge = typeof intent.latest_charge === "object" ? (intent.latest_charge ?? undefined) : undefined;
  const isAsked = charge && (isNews || charge.amount_refunded > 0 || charge.disputed);
  return { asOf, intent, charge, ...(isAsked ? { gone: await lookAtGone(intent.id) } : {}) };
}

async function lookAtGone(payment_intent: string): Promise<Gone> {
  const [refunded, disputed] = await ask((client) =>
    Promise.all([
      client.refunds.list({ payment_intent, limit: MAX_REFUNDS }),
      client.disputes.list({ payment_intent, limit: MAX_REFUNDS }),
    ]),
  );
  const back = sum(refunded.data.filter(({ status }) => status !== "failed" && status !== "canceled"));
  const charged = sum(disputed.data.filter(isTaken));
  return { amount: back + charged, by: charged > 0 ? "chargeback" : "refund", refunds: refunded.data };
}

/**
 * Whether the bank has the money. An inquiry takes none, a dispute does while it is open.
 * Source: https://docs.stripe.com/disputes/how-disputes-work
 */
function isTaken({ status }: Stripe.Dispute): boolean {
  return status !== "won" && status !== "prevented" && !status.startsWith("warning_");
}

function sum(parts: readonly { readonly amount: number }[]): number {
  return parts.reduce((total, { amount }) => total + amount, 0);
}

/**
 * Lets a purchase agree with the payment of an order, as part of a Firestore transaction: granted once it is paid, taken back as far as
 * the money has gone.
 *
 * Bill, with the webhook's own: 3 reads and 5 writes, and for each currency a read and a write, for each item a write, for each
 * entitlement a read and a write. Of what is known already 4 reads and, if something went back, what hear.ts costs.
 * @param seen what else is known of the order, if its page was asked for, too
 */
export async function settleOrder(tx: Transaction, payment: Payment, seen?: Seen): Promise<Outcome> {
  const { intent } = payment;
  const { order: id = "" } = intent.metadata;
  const order = isDocumentId(id) ? (await tx.get(orders().doc(id))).data() : undefined;
  if (!order) return { result: "ignored", reason: "unknown-order" };
  const notes = await readRefunds(tx, payment);
  const outcome = intent.status === "succeeded" ? await settlePaid(tx, payment, { id, order }) : unpaid(payment);
  tx.set(orders().doc(id), withSeen(order, seen ?? seenByPayment(order, payment)));
  notes();
  return { ...outcome, order: id };
}

async function settlePaid(tx: Transaction, payment: Payment, of: { id: string; order: Order }): Promise<Outcome> {
  const { order } = of;
  const { intent, assessment } = payment;
  if (intent.amount_received < order.amount || intent.currency !== order.currency.toLowerCase()) {
    throw new Postponed("amount-differs", waitingForOrder(of.id));
  }
  const evidence = evidenceOf(order, payment);
  return await settlePurchase(tx, payment, {
    fact: factOf(order, payment),
    product: productOfOrder(order),
    evidence,
    assessment,
  });
}

/** What was ordered, at the price and with what it gives as the catalog said then. */
export function productOfOrder({ title, grant, currency, amount }: Order): Product {
  return { title, grant, grantDuringTrial: true, prices: { [currency]: amount } };
}

/** What Stripe knows of who pays, and the app of where that is. */
export function evidenceOf({ country }: Pick<Order, "country">, payment: Payment | undefined): Evidence {
  const card = cardOf(payment?.charge);
  return { card: card?.fingerprint, country: card?.country, ipCountry: country };
}

interface Settled {
  readonly fact: PurchaseFact;
  readonly product: Product;
  readonly evidence: Evidence;
  /** Undefined if it was not judged before. */
  readonly assessment: Assessment | undefined;
}

/** Grants a purchase that was paid, or tells a known one what of its price has gone back. */
export async function settlePurchase(
  tx: Transaction,
  payment: Payment | undefined,
  { fact, product, evidence, assessment: before }: Settled,
): Promise<Outcome> {
  const id = purchaseId(fact);
  const known = (await tx.get(purchases().doc(id))).data();
  const news = payment && newsOf(payment);
  if (known && known.state !== "foretold") {
    return news ? await hear(tx, id, news) : { result: "already-granted", purchase: id };
  }
  const assessment = before ?? (await assess(subjectOf(fact, product, evidence)));
  return await grant(tx, fact, { product, via: "webhook", known: foretold(known, news), assessment });
}

function foretold(known: Purchase | Foretold | undefined, news: News | undefined): Foretold | undefined {
  if (known && known.state !== "foretold") return undefined;
  return news ? withNews(known ?? { state: "foretold", updatedAt: timestamp() }, news) : known;
}

/** How much of the price has gone back; undefined if nobody asked. */
export function newsOf({ gone, intent, asOf }: Payment): News | undefined {
  if (!gone) return undefined;
  const of = intent.amount_received;
  return { kind: "refunded", at: asOf, amount: Math.min(gone.amount, of), of, by: gone.by };
}

export function factOf(order: Order, { intent, charge }: Payment): PurchaseFact {
  const isTopUp = order.product === undefined;
  return {
    user: order.user,
    product: order.product ?? TOP_UP,
    store: STORE,
    environment: environmentOf(intent),
    transaction: intent.id,
    purchasedAt: (charge?.created ?? intent.created) * 1_000,
    expiresAt: null,
    isFree: false,
    price: { amount: intent.amount_received, currency: order.currency },
    card: cardOf(charge),
    ...(isTopUp ? { house: "system:stripe" } : {}),
  };
}

export function environmentOf({ livemode }: { readonly livemode: boolean }): Purchase["environment"] {
  return livemode ? "PRODUCTION" : "SANDBOX";
}

/** What paid: a card, or a bank account, which has a fingerprint, too. */
export function cardOf(charge: Stripe.Charge | undefined): Card | undefined {
  const details = charge?.payment_method_details;
  const { fingerprint, country, funding } = details?.card ?? {};
  const other = details?.us_bank_account?.fingerprint ?? details?.sepa_debit?.fingerprint;
  const card: Card = {
    ...((fingerprint ?? other) ? { fingerprint: fingerprint ?? other ?? "" } : {}),
    ...(country ? { country } : {}),
    ...(funding ? { funding } : {}),
  };
  return Object.keys(card).length > 0 ? card : undefined;
}

function unpaid({ intent }: Payment): Outcome {
  const code = intent.last_payment_error?.decline_code ?? intent.last_payment_error?.code;
  return { result: intent.status, ...(code ? { problem: code } : {}) };
}

/** Of a page only the page itself knows whether it can still be paid. */
function seenByPayment(order: Order, { intent, asOf }: Payment): Seen {
  const seen = seenOf(intent, asOf);
  const isKnown = order.kind === "payment" || seen.state === "paid" || seen.state === "processing";
  return isKnown ? seen : { ...seen, state: order.state };
}

/** Operators' refunds of the payment: reads them, and gives back what writes them as Stripe has them now. */
export async function readRefunds(tx: Transaction, { gone }: Pick<Payment, "gone">): Promise<() => void> {
  const ours = new Map((gone?.refunds ?? []).flatMap((one) => (isOurs(one) ? [[one.metadata.refund, one]] : [])));
  const found = await getAll<Refund>(tx, refunds(), [...ours.keys()]);
  return () => {
    for (const [id, record] of found) {
      const now = ours.get(id);
      if (record && now) tx.set(refunds().doc(id), noted(record, now));
    }
  };
}

function isOurs(refund: Stripe.Refund): refund is Stripe.Refund & { metadata: { refund: string } } {
  return isDocumentId(refund.metadata?.refund ?? "");
}

/** What is heard of a payment that is of no order: perhaps it paid for a period of a subscription. */
export async function invoiceOfPayment(payment_intent: string): Promise<string | undefined> {
  const { data } = await ask((client) =>
    client.invoicePayments.list({ payment: { type: "payment_intent", payment_intent }, limit: 1 }),
  );
  return idOf(data[0]?.invoice);
}
