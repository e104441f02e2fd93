import * as z from "zod";
import { owedAfter, sentSince } from "../ledger/index.ts";
import { getAll, isAlreadyExists, transact } from "../platform/firestore.ts";
import type { Subscriber } from "../platform/outbox.ts";
import { assessments, type Sightings, velocity } from "./records.ts";
import { openReview } from "./review.ts";
import { nothingSeen, withRefund } from "./sightings.ts";
import { assessmentId, sightingsId } from "./subject.ts";

/** The event `purchase.refunded`, as the store tells it. */
const Refunded = z.object({
  purchase: z.string(),
  user: z.string(),
  by: z.enum(["refund", "chargeback"]),
  /** Milliseconds since the epoch. */
  purchasedAt: z.int(),
  /** The ledger's, that took back what could be taken. */
  transaction: z.string().optional(),
});
type Refunded = z.infer<typeof Refunded>;

/** More transfers than these of one user since one purchase are not looked at. */
const MAX_TRANSFERS = 50;
const MAX_CURRENCIES = 5;
const MAX_RECEIVERS = 20;
/** As grave as a chargeback and a second one: a person has a look. */
const SCORE = 60;
const RULE = "refund-after-transfer";

/**
 * Counts a refund against the user, the device and the card of the purchase; and where it left a debt, looks whether the coins were sent to
 * others, for whom it is then opened to a person. Nothing is taken from the receivers.
 *
 * Bill: a read and up to three more, a write for each of these; then a read for the transaction, and if something is owed one for each
 * transfer since the purchase, at most 50 a currency; for a review a write.
 */
export async function refunded(data: unknown): Promise<void> {
  const refund = Refunded.parse(data);
  await count(refund);
  const { transaction, user } = refund;
  if (transaction === undefined) return;
  const owed = Object.entries(await owedAfter(transaction, user)).slice(0, MAX_CURRENCIES);
  const sent = await Promise.all(
    owed.map(async ([currency, amount]) => {
      const receivers = await sentSince(user, currency, { since: refund.purchasedAt, limit: MAX_TRANSFERS });
      return { currency, owed: amount, receivers };
    }),
  );
  const found = sent.filter(({ receivers }) => receivers.size > 0);
  if (found.length > 0) await open(refund, found);
}

async function count({ purchase, user, by }: Refunded): Promise<void> {
  await transact(async (tx) => {
    const assessed = (await tx.get(assessments().doc(assessmentId({ kind: "purchase", id: purchase })))).data();
    const own = sightingsId("user", user);
    const known = await getAll<Sightings>(tx, velocity(), assessed?.sightings ?? [own]);
    for (const [id, sightings] of known) {
      // Of a device or card nothing is kept any more: it has not been seen for long.
      if (!sightings && id !== own) continue;
      const next = withRefund(sightings ?? nothingSeen("user"), purchase, by);
      if (next !== sightings) tx.set(velocity().doc(id), next);
    }
  });
}

async function open(
  { purchase, user, by, transaction = "" }: Refunded,
  found: readonly { currency: string; owed: number; receivers: ReadonlyMap<string, number> }[],
): Promise<void> {
  const facts = {
    by,
    transaction,
    sent: found.map(({ currency, owed, receivers }) => ({
      currency,
      owed,
      receivers: [...receivers]
        .sort(([, a], [, b]) => b - a)
        .slice(0, MAX_RECEIVERS)
        .map(([receiver, amount]) => ({ user: receiver, amount })),
    })),
  };
  const reasons = [{ rule: RULE, score: SCORE, reason: "Coins were sent to others, and their purchase was refunded." }];
  try {
    await transact(async (tx) => {
      openReview(tx, { kind: RULE, subject: purchase, user, facts }, { score: SCORE, reasons });
    });
  } catch (error) {
    // Told before.
    if (!isAlreadyExists(error)) throw error;
  }
}

export const subscribers: readonly Subscriber[] = [
  { name: "fraud/refunded", type: "purchase.refunded", react: ({ data }) => refunded(data) },
];
