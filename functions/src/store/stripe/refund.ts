import type Stripe from "stripe";
import type * as z from "zod";
import { writeDown } from "../../platform/audit.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure, keyReused } from "../../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId, fingerprint } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { purchases } from "../records.ts";
import { ask, find, idOf } from "./ask.ts";
import { attemptAfter, firstAttempt } from "./attempt.ts";
import type { Refunded, RefundRequest } from "./contract.ts";
import { lookAt } from "./look.ts";
import { STORE } from "./payment.ts";
import { type Refund, refunds } from "./records.ts";
import { noted } from "./refund-state.ts";

/** Refunds by operators: https://docs.stripe.com/refunds */

const MAX_REFUNDS = 100;
/** When Stripe is asked again that has not answered. */
const AGAIN_MILLIS = 10 * 60_000;
const SWEPT = 50;

/**
 * Gives money back through Stripe, and with it takes back what it bought. The refund is written down first. If Stripe does not answer, it
 * stays `created`, and {@link settleRefunds} goes on with it: no money leaves twice, and none that was promised is forgotten.
 *
 * Refuses `unknown-purchase`, `not-refundable`, `refund-too-large`, `idempotency-key-reused`, `stripe-refused`, `stripe-unavailable`.
 *
 * Bill: 9 reads and 7 writes for a purchase of one currency; repeated 1 read. Each further currency and item costs a read and a write.
 */
export async function refund(caller: Caller, request: z.output<typeof RefundRequest>): Promise<Refunded> {
  const id = deterministicId("refund", request.purchase, request.key);
  const print = fingerprint(request);
  const known = (await refunds().doc(id).get()).data();
  if (known && known.fingerprint !== print) throw keyReused();
  const isNew = known === undefined;
  const record = known ?? (await begin(caller, id, { request, print }));
  log.info("refund by hand", { refund: id, purchase: request.purchase, by: caller.uid });
  const { state, amount, currency } = record.state === "created" ? await carryOut(id, record, isNew) : record;
  return { refund: id, state, amount, currency };
}

async function begin(
  caller: Caller,
  id: string,
  { request, print }: { request: z.output<typeof RefundRequest>; print: string },
): Promise<Refund> {
  const { purchase, reason, note } = request;
  const bought = (await purchases().doc(purchase).get()).data();
  if (!bought || bought.state === "foretold") {
    throw new Failure("not-found", "There is no such purchase.", { reason: "unknown-purchase" });
  }
  if (bought.store !== STORE) throw notRefundable();
  const charge = await chargeOf(bought.transaction);
  const remaining = charge.amount_captured - charge.amount_refunded;
  const amount = request.amount ?? remaining;
  if (amount > remaining || amount === 0) {
    throw new Failure("failed-precondition", "So much is not left of the price.", {
      reason: "refund-too-large",
      remaining,
    });
  }
  const record: Refund = {
    state: "created",
    purchase,
    user: bought.user,
    payment: idOf(charge.payment_intent) ?? "",
    amount,
    currency: charge.currency.toUpperCase(),
    reason,
    note,
    by: caller.uid,
    attempt: firstAttempt(),
    fingerprint: print,
    dueAt: timestamp(now() + AGAIN_MILLIS),
    createdAt: timestamp(),
    updatedAt: timestamp(),
  };
  return await transact(async (tx) => {
    const meanwhile = (await tx.get(refunds().doc(id))).data();
    if (meanwhile && meanwhile.fingerprint !== print) throw keyReused();
    if (meanwhile) return meanwhile;
    tx.create(refunds().doc(id), record);
    const details = { refund: id, amount, currency: record.currency, reason };
    writeDown(tx, { key: id, by: caller.uid, action: "store/refund", subject: `purchases/${purchase}`, note, details });
    return record;
  });
}

/** What was charged for a purchase: by the payment itself, or by the invoice's. */
async function chargeOf(transaction: string): Promise<Stripe.Charge> {
  const payment = transaction.startsWith("in_") ? await paymentOf(transaction) : transaction;
  const intent =
    payment === undefined
      ? undefined
      : await find((client) => client.paymentIntents.retrieve(payment, { expand: ["latest_charge"] }));
  const charge = intent?.latest_charge;
  if (!charge || typeof charge === "string") throw notRefundable();
  return charge;
}

async function paymentOf(invoice: string): Promise<string | undefined> {
  const { data } = await ask((client) => client.invoicePayments.list({ invoice, status: "paid", limit: 1 }));
  return idOf(data[0]?.payment.payment_intent);
}

/** Has Stripe do it, notes what it said, and lets the purchase follow. An answer that does not come changes nothing. */
async function carryOut(id: string, record: Refund, isNew: boolean): Promise<Refund> {
  const asOf = now();
  const made = await answered(id, () => ask((client) => make(client, id, { record, isNew })));
  if (!made) return record;
  const settle = await lookAt({ kind: "payment", id: record.payment, isBack: true }, { isLive: made.isLive, asOf });
  await transact(async (tx) => await settle(tx));
  return await transact((tx) => note(tx, id, made.refund));
}

interface Made {
  readonly refund: Stripe.Refund;
  readonly isLive: boolean;
}

/** Undefined if Stripe may or may not have done it. */
async function answered(id: string, work: () => Promise<Made>): Promise<Made | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.reason === "stripe-unavailable") return undefined;
    await transact((tx) => noteRefusal(tx, id, String(error.details.code)));
    throw error;
  }
}

/** The refund that was made although nobody heard of it, else a new one. */
async function make(client: Stripe, id: string, { record, isNew }: { record: Refund; isNew: boolean }): Promise<Made> {
  const { payment, amount, reason, attempt } = record;
  const { livemode } = await client.paymentIntents.retrieve(payment);
  const { data } = isNew ? { data: [] } : await client.refunds.list({ payment_intent: payment, limit: MAX_REFUNDS });
  const found = data.find(({ metadata }) => metadata?.refund === id);
  const made =
    found ??
    (await client.refunds.create(
      { payment_intent: payment, amount, reason, metadata: { refund: id } },
      { idempotencyKey: `refund ${id} ${attempt.count}` },
    ));
  return { refund: made, isLive: livemode };
}

async function note(tx: Transaction, id: string, made: Stripe.Refund): Promise<Refund> {
  const record = (await tx.get(refunds().doc(id))).data();
  if (!record) throw new Error(`refund ${id} is gone`);
  // A webhook may have been quicker, and known of more.
  if (record.state !== "created") return record;
  const next = noted(record, made);
  tx.set(refunds().doc(id), next);
  return next;
}

async function noteRefusal(tx: Transaction, id: string, problem: string): Promise<void> {
  const record = (await tx.get(refunds().doc(id))).data();
  if (record?.state !== "created") return;
  const { dueAt: _, ...rest } = record;
  tx.set(refunds().doc(id), { ...rest, state: "refused", problem, updatedAt: timestamp() });
}

/**
 * Goes on with refunds that Stripe has not answered. For a schedule; returns how many there were. Bill: a read for each, and what
 * {@link refund} costs.
 */
export async function settleRefunds(): Promise<number> {
  const due = await refunds().where("dueAt", "<", timestamp()).orderBy("dueAt").limit(SWEPT).get();
  for (const { id } of due.docs) {
    try {
      const record = await transact((tx) => again(tx, id));
      if (record) await carryOut(id, record, false);
    } catch (error) {
      log.error("refund not settled", error, { id });
    }
  }
  return due.size;
}

async function again(tx: Transaction, id: string): Promise<Refund | undefined> {
  const record = (await tx.get(refunds().doc(id))).data();
  if (record?.state !== "created") return undefined;
  const next = { ...record, attempt: attemptAfter(record.attempt), dueAt: timestamp(now() + AGAIN_MILLIS) };
  tx.set(refunds().doc(id), next);
  return next;
}

function notRefundable(): Failure {
  return new Failure("failed-precondition", "This purchase cannot be refunded here.", { reason: "not-refundable" });
}
