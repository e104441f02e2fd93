import type { Transaction } from "../../platform/firestore.ts";
import type { Outcome } from "../../platform/webhooks.ts";
import { hear } from "../hear.ts";
import { purchaseId } from "../purchase.ts";
import { find } from "./ask.ts";
import { seenOf } from "./checkout.ts";
import type { Subject } from "./event.ts";
import { lookAtPaid, orderOf, settleInvoice } from "./invoice.ts";
import { judgedInvoice, judgedPayment } from "./judge.ts";
import { noteOrder } from "./order.ts";
import {
  environmentOf,
  invoiceOfPayment,
  lookAtPayment,
  newsOf,
  type Payment,
  readRefunds,
  STORE,
  settleOrder,
  withGone,
} from "./payment.ts";
import { subscriptionOf } from "./period.ts";
import { lookAtLast, settleSubscription } from "./subscription.ts";

/** Carries out what Stripe was found to say, as part of a Firestore transaction. */
export type Settle = (tx: Transaction) => Promise<Outcome>;

/** A state that is not ours to act on. */
export function ignored(reason: string): Settle {
  return () => Promise.resolve({ result: "ignored", reason });
}

/**
 * Asks Stripe how the subject of an event stands now, which decides what is done, whatever the event said.
 * @param isLive the event's; what is found must be of the same kind of money
 */
export async function lookAt(subject: Subject, { isLive, asOf }: { isLive: boolean; asOf: number }): Promise<Settle> {
  switch (subject.kind) {
    case "session":
      return await lookAtSession(subject.id, { isLive, asOf });
    case "payment": {
      const payment = await lookAtPayment(subject.id, asOf, subject.isBack);
      return payment ? await payOf(payment, { isLive, isBack: subject.isBack }) : ignored("not-found");
    }
    case "invoice":
      return await lookAtInvoice(subject.id, { isLive, asOf });
    case "subscription":
      return await lookAtSubscription(subject.id, { isLive, asOf });
  }
}

interface Asked {
  readonly isLive: boolean;
  readonly asOf: number;
}

async function lookAtSession(id: string, { isLive, asOf }: Asked): Promise<Settle> {
  const session = await find((client) =>
    client.checkout.sessions.retrieve(id, { expand: ["payment_intent.latest_charge"] }),
  );
  if (!session) return ignored("not-found");
  if (session.livemode !== isLive) return ignored("wrong-mode");
  const order = session.metadata?.order;
  if (order === undefined) return ignored("foreign");
  const seen = seenOf(session, asOf);
  const intent = session.payment_intent;
  if (intent === null || typeof intent === "string") return (tx) => noteOrder(tx, order, seen);
  const payment = await judgedPayment(await withGone(intent, asOf, false));
  return (tx) => settleOrder(tx, payment, seen);
}

async function payOf(payment: Payment, { isLive, isBack }: { isLive: boolean; isBack: boolean }): Promise<Settle> {
  const { intent, asOf } = payment;
  if (intent.livemode !== isLive) return ignored("wrong-mode");
  if (intent.metadata.order !== undefined) {
    const judged = await judgedPayment(payment);
    return (tx) => settleOrder(tx, judged);
  }
  // That an invoice was paid is told by itself.
  const id = isBack ? await invoiceOfPayment(intent.id) : undefined;
  if (id === undefined) return ignored("foreign");
  const invoice = await find((client) => client.invoices.retrieve(id));
  const subscription = invoice && subscriptionOf(invoice);
  if (subscription === undefined) return ignored("foreign");
  const found = await find((client) => client.subscriptions.retrieve(subscription));
  const news = newsOf({ ...payment, asOf });
  if (!found || !news) return ignored("foreign");
  const purchase = purchaseId({ environment: environmentOf(intent), store: STORE, transaction: id });
  return async (tx) => {
    if (!(await orderOf(tx, found))) return { result: "ignored", reason: "unknown-order" };
    const notes = await readRefunds(tx, payment);
    const outcome = await hear(tx, purchase, news);
    notes();
    return outcome;
  };
}

async function lookAtInvoice(id: string, asked: Asked): Promise<Settle> {
  const invoice = await find((client) => client.invoices.retrieve(id, { expand: ["payments"] }));
  if (!invoice) return ignored("not-found");
  if (invoice.livemode !== asked.isLive) return ignored("wrong-mode");
  const of = subscriptionOf(invoice);
  const subscription = of === undefined ? undefined : await find((client) => client.subscriptions.retrieve(of));
  if (!subscription || subscription.metadata.order === undefined) return ignored("foreign");
  if (invoice.status !== "paid") return await lookAtSubscription(subscription.id, asked);
  const paid = await lookAtPaid(invoice, subscription, asked.asOf);
  if (!paid) return ignored("no-period");
  const judged = await judgedInvoice(paid);
  return (tx) => settleInvoice(tx, judged);
}

async function lookAtSubscription(id: string, { isLive, asOf }: Asked): Promise<Settle> {
  const subscription = await find((client) => client.subscriptions.retrieve(id));
  if (!subscription) return ignored("not-found");
  if (subscription.livemode !== isLive) return ignored("wrong-mode");
  if (subscription.metadata.order === undefined) return ignored("foreign");
  const state = await lookAtLast(subscription, asOf);
  return (tx) => settleSubscription(tx, state);
}
