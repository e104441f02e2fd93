import type Stripe from "stripe";
import type { Assessment } from "../../fraud/index.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { isDocumentId } from "../../platform/ids.ts";
import { emit } from "../../platform/outbox.ts";
import { type Outcome, Postponed } from "../../platform/webhooks.ts";
import { productOf } from "../catalog.ts";
import { type PurchaseFact, purchaseId } from "../purchase.ts";
import type { Product } from "../records.ts";
import { waitingForProduct } from "../waiting.ts";
import { ask, idOf } from "./ask.ts";
import {
  cardOf,
  environmentOf,
  evidenceOf,
  lookAtPayment,
  type Payment,
  readRefunds,
  STORE,
  settlePurchase,
} from "./payment.ts";
import { type Period, periodOf } from "./period.ts";
import { productOfPrice } from "./price.ts";
import { type Order, orders } from "./records.ts";
import { PERIOD_REPLACED } from "./subscribers.ts";

/** An invoice that pays for a period of a subscription, as Stripe has it. */
export interface PaidInvoice {
  readonly invoice: Stripe.Invoice;
  readonly subscription: Stripe.Subscription;
  readonly period: Period;
  /** The catalog's id of what the period is of. */
  readonly product: string | undefined;
  /** Absent if nothing had to be paid. */
  readonly payment: Payment | undefined;
  /** The invoice of the period that this one takes the rest of, after a switch. */
  readonly replaced: string | undefined;
  /** What the rules against fraud made of it, if they were asked before the transaction; see judge.ts. */
  readonly assessment?: Assessment | undefined;
}

/**
 * Stripe makes a draft when a period begins, and charges it about an hour later; until then what was paid for the period before holds.
 * Source: https://docs.stripe.com/billing/invoices/subscription#subscription-lifecycle-events
 */
const RENEWAL_MILLIS = 3 * 3_600_000;
/** As far as is looked for the invoice before a switch. */
const MAX_INVOICES = 10;

/** Asks for what belongs to a paid invoice; undefined if it pays for no period. */
export async function lookAtPaid(
  invoice: Stripe.Invoice,
  subscription: Stripe.Subscription,
  asOf: number,
): Promise<PaidInvoice | undefined> {
  const period = periodOf(invoice);
  if (!period) return undefined;
  const intent = idOf(invoice.payments?.data.find(({ status }) => status === "paid")?.payment.payment_intent);
  const [payment, product, replaced] = await Promise.all([
    intent === undefined ? undefined : lookAtPayment(intent, asOf, false),
    productOfPeriod(period, subscription),
    period.isRest ? invoiceBefore(invoice, subscription) : undefined,
  ]);
  return { invoice, subscription, period, payment, product, replaced };
}

async function productOfPeriod({ price }: Period, { items }: Stripe.Subscription): Promise<string | undefined> {
  return price === undefined ? items.data[0]?.price.metadata.product : await productOfPrice(price);
}

async function invoiceBefore(
  { id, created }: Stripe.Invoice,
  subscription: Stripe.Subscription,
): Promise<string | undefined> {
  const { data } = await ask((client) =>
    client.invoices.list({ subscription: subscription.id, status: "paid", limit: MAX_INVOICES }),
  );
  return data.find((other) => other.id !== id && other.created <= created)?.id;
}

/**
 * Grants the period that an invoice pays for, once, as part of a Firestore transaction. The coins and items of a product come with each
 * whole period; what is left of one after a switch gives the entitlements, and ends those of the period it replaces.
 */
export async function settleInvoice(tx: Transaction, paid: PaidInvoice): Promise<Outcome> {
  const { invoice, period, payment, replaced, assessment } = paid;
  const order = await orderOf(tx, paid.subscription);
  if (!order) return { result: "ignored", reason: "unknown-order" };
  const product = paid.product === undefined ? undefined : await productOf(paid.product);
  if (!product) throw new Postponed("unknown-product", waitingForProduct(paid.product ?? ""));
  const notes = await readRefunds(tx, payment ?? {});
  const fact = factOf(order, paid);
  const outcome = await settlePurchase(tx, payment, {
    fact,
    product: givenBy(product, period),
    evidence: evidenceOf(order, payment),
    assessment,
  });
  notes();
  if (replaced !== undefined) {
    const purchase = purchaseId({ ...fact, transaction: replaced });
    emit(tx, { type: PERIOD_REPLACED, key: purchaseId(fact), data: { purchase, at: fact.purchasedAt } });
  }
  return { ...outcome, invoice: invoice.id };
}

/** The order that a subscription began with; undefined for what was not sold by us. */
export async function orderOf(tx: Transaction, { metadata }: Stripe.Subscription): Promise<Order | undefined> {
  const { order = "" } = metadata;
  return isDocumentId(order) ? (await tx.get(orders().doc(order))).data() : undefined;
}

/**
 * What RevenueCat's virtual currencies would tell of, nobody tells of here. And the catalog's price says nothing of a trial, or of what is
 * left of a period.
 */
export function givenBy({ coinsFrom: _, prices: __, ...product }: Product, { isRest }: Period): Product {
  return isRest ? { ...product, grant: { ...product.grant, coins: {}, items: {} } } : product;
}

export function factOf({ user }: Order, { invoice, product = "", period, payment }: PaidInvoice): PurchaseFact {
  const { status_transitions, created, total, currency } = invoice;
  return {
    user,
    product,
    store: STORE,
    environment: environmentOf(invoice),
    transaction: invoice.id,
    purchasedAt: (status_transitions.paid_at ?? created) * 1_000,
    expiresAt: period.end + RENEWAL_MILLIS,
    isFree: period.amount === 0,
    price: { amount: total, currency: currency.toUpperCase() },
    card: cardOf(payment?.charge),
  };
}
