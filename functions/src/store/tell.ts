import * as z from "zod";
import { owedAfter } from "../ledger/index.ts";
import { notify } from "../notices/index.ts";
import type { Subscriber } from "../platform/outbox.ts";
import { purchases } from "./records.ts";

/** What buyers are told of their purchases, in the app and by mail, when something has happened to them that they did not do. */

const Refunded = z.object({
  purchase: z.string(),
  user: z.string(),
  by: z.string(),
  /** So much of the price, of so much, has gone back by now. */
  amount: z.int(),
  of: z.int(),
});
const Rejected = z.object({ purchase: z.string(), user: z.string(), product: z.string(), store: z.string() });
const Decided = z.object({ kind: z.string(), subject: z.string(), decision: z.string() });

/**
 * Once for each sum that has gone back by then, however many webhooks tell of it: with what its buyer owes since, by currency in smallest
 * units. Nothing is told while `FRAUD` is `off`, when nobody hears of refunds. Bill: 2 reads and a write.
 */
async function tellRefunded(data: unknown): Promise<void> {
  const { purchase, user, by, amount, of } = Refunded.parse(data);
  const record = (await purchases().doc(purchase).get()).data();
  const last = record && record.state !== "foretold" ? record.takenBack?.at(-1) : undefined;
  const owed = last ? await owedAfter(last.transaction, user) : {};
  const told = { purchase, by, amount, of, owed: { ...owed } };
  await notify({ user, key: `${purchase} ${amount} ${of}`, kind: "purchase-refunded", data: told, mail: true });
}

async function tellRejected(data: unknown): Promise<void> {
  const { purchase, user, product, store } = Rejected.parse(data);
  const told = { purchase, product, store };
  await notify({ user, key: purchase, kind: "purchase-rejected", data: told, mail: true });
}

/** That a review went well; that it did not is told by the rejection. Bill: a read and a write. */
async function tellApproved(data: unknown): Promise<void> {
  const { kind, subject, decision } = Decided.parse(data);
  if (kind !== "purchase" || decision !== "approved") return;
  const purchase = (await purchases().doc(subject).get()).data();
  // Its money went back before it was approved: of that they have been told.
  if (!purchase || purchase.state === "foretold" || purchase.state === "refunded") return;
  const { user, product } = purchase;
  await notify({ user, key: subject, kind: "purchase-approved", data: { purchase: subject, product }, mail: true });
}

export const storeNotices: readonly Subscriber[] = [
  { name: "store/tell-refunded", type: "purchase.refunded", react: ({ data }) => tellRefunded(data) },
  { name: "store/tell-rejected", type: "purchase.rejected", react: ({ data }) => tellRejected(data) },
  { name: "store/tell-approved", type: "review.decided", react: ({ data }) => tellApproved(data) },
];
