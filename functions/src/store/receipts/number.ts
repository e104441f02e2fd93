import { prepareNotice } from "../../notices/index.ts";
import { now } from "../../platform/clock.ts";
import { config } from "../../platform/config.ts";
import { FieldValue, type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { enqueue } from "../../platform/tasks.ts";
import { type Purchase, purchases } from "../records.ts";
import { receipts, series } from "./records.ts";

/**
 * Receipts are numbered after the purchase, many at a time, by one task after the other: whoever buys waits for no counter. A purchase that
 * has none yet says so itself (`receiptDue`), and its number is written in the transaction that counts the series on, so that there is
 * neither a gap nor a number twice, whatever is repeated, runs side by side or breaks off.
 */

/** Purchases that are numbered in one transaction. */
const BATCH = 200;
/** Batches of one task; what is left then is for the next. */
const MAX_BATCHES = 20;
/** The queue of the function that numbers; exported under this name by `index.ts`, which runs one of its tasks at a time. */
const QUEUE = "receipts";
/** Purchases of so long a time share a task. */
const TASK_MILLIS = 10_000;
const DIGITS = 6;

/**
 * Numbers what has no receipt yet. For the task. Bill for each: a read; a write for the receipt, the purchase, the notice and, if mails are
 * sent, the mail; for each 200, a read and a write for the series.
 */
export async function numberReceipts(): Promise<number> {
  let count = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const numbered = await transact(numberBatch);
    count += numbered;
    if (numbered < BATCH) return count;
  }
  await queueReceipts();
  return count;
}

/** Numbers up to 200 purchases as one transaction. Returns how many there were. */
export async function numberBatch(tx: Transaction): Promise<number> {
  const at = timestamp();
  const year = yearIn(config.timeZone.value(), at.toMillis());
  const reference = series().doc(`series-${year}`);
  // First of all, so that of two the second waits here.
  const last = (await tx.get(reference)).data()?.last ?? 0;
  const due = await tx.get(purchases().where("receiptDue", "==", true).limit(BATCH));
  if (due.empty) return 0;
  let place = last;
  for (const document of due.docs) {
    const purchase = document.data();
    if (!isPaid(purchase)) {
      tx.update(document.ref, { receiptDue: FieldValue.delete() });
      continue;
    }
    const number = `${year}-${String(++place).padStart(DIGITS, "0")}`;
    const { user, product, store, price, purchasedAt } = purchase;
    const receipt = {
      number,
      user,
      purchase: document.id,
      product,
      store,
      price,
      tax: null,
      purchasedAt,
      issuedAt: at,
    };
    tx.create(receipts().doc(number), receipt);
    tx.update(document.ref, { receipt: number, receiptDue: FieldValue.delete() });
    const data = { receipt: number, product, amount: price.amount, currency: price.currency };
    prepareNotice(tx, { user, key: document.id, kind: "receipt", data, mail: true });
  }
  tx.set(reference, { last: place, updatedAt: at });
  return due.size;
}

let queuedUntil = 0;

/**
 * Has receipts numbered soon: one task for all purchases of ten seconds, which an instance asks for once. A task that cannot be queued is
 * made up for by {@link sweepReceipts}.
 */
export async function queueReceipts(): Promise<void> {
  const slot = Math.floor(now() / TASK_MILLIS) + 1;
  if (queuedUntil === slot) return;
  queuedUntil = slot;
  try {
    await enqueue(QUEUE, { name: `receipts-${slot}`, data: {}, delaySeconds: TASK_MILLIS / 1_000 });
  } catch (error) {
    log.error("numbering of receipts not queued", error);
  }
}

/** Has numbered what a lost task has left, and what came by webhooks. For a schedule. One read. */
export async function sweepReceipts(): Promise<void> {
  const { empty } = await purchases().where("receiptDue", "==", true).limit(1).get();
  if (!empty) await queueReceipts();
}

function isPaid(purchase: {
  readonly state: string;
}): purchase is Purchase & { price: NonNullable<Purchase["price"]> } {
  return purchase.state !== "foretold" && "price" in purchase && purchase.price !== undefined;
}

function yearIn(timeZone: string, millis: number): string {
  return new Intl.DateTimeFormat("en-US", { timeZone, year: "numeric", calendar: "iso8601" }).format(millis);
}
