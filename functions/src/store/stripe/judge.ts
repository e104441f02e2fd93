import { type Assessment, assess, isWatching } from "../../fraud/index.ts";
import { isDocumentId } from "../../platform/ids.ts";
import { productOf } from "../catalog.ts";
import { type PurchaseFact, purchaseId } from "../purchase.ts";
import { type Product, purchases } from "../records.ts";
import { type Evidence, subjectOf } from "../subject.ts";
import { factOf as factOfInvoice, givenBy, type PaidInvoice } from "./invoice.ts";
import { evidenceOf, factOf, type Payment, productOfOrder } from "./payment.ts";
import { type Order, orders } from "./records.ts";

/**
 * Has the rules against fraud judge what was paid for, before the transaction that grants it, so that nothing waits for them. What is known
 * already is not judged again.
 *
 * Bill: a read for the order and one for the purchase, then what `assess` costs. While `FRAUD` is `off`: nothing.
 */

/** The payment of an order, with what was made of it. */
export async function judgedPayment(payment: Payment): Promise<Payment> {
  const { intent } = payment;
  if (!isWatching() || intent.status !== "succeeded") return payment;
  const order = await orderOf(intent.metadata.order);
  if (!order) return payment;
  const listed = order.product === undefined ? undefined : await productOf(order.product);
  const product = { ...productOfOrder(order), countries: listed?.countries };
  return { ...payment, assessment: await judged(factOf(order, payment), product, evidenceOf(order, payment)) };
}

/** A paid invoice, with what was made of it. Renewals are judged, too: they are paid by cards. */
export async function judgedInvoice(paid: PaidInvoice): Promise<PaidInvoice> {
  if (!isWatching() || paid.product === undefined) return paid;
  const order = await orderOf(paid.subscription.metadata.order);
  const listed = await productOf(paid.product);
  if (!order || !listed) return paid;
  const evidence = evidenceOf(order, paid.payment);
  return { ...paid, assessment: await judged(factOfInvoice(order, paid), givenBy(listed, paid.period), evidence) };
}

async function judged(fact: PurchaseFact, product: Product, evidence: Evidence): Promise<Assessment | undefined> {
  const known = (await purchases().doc(purchaseId(fact)).get()).data();
  if (known && known.state !== "foretold") return undefined;
  return await assess(subjectOf(fact, product, evidence));
}

async function orderOf(id = ""): Promise<Order | undefined> {
  return isDocumentId(id) ? (await orders().doc(id).get()).data() : undefined;
}
