import { isWatching } from "../fraud/index.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import { emit } from "../platform/outbox.ts";
import type { Outcome } from "../platform/webhooks.ts";
import { prepareChanges, type Reward, readEntitlements, writeEntitlements } from "../rewards/index.ts";
import { groundOf, isRefunded, type News, withNews } from "./purchase.ts";
import { type Foretold, type Purchase, purchases, type TakenBack } from "./records.ts";
import { settlement } from "./refund.ts";
import { settleWithheld } from "./withheld.ts";

const RESULTS: Record<News["kind"], string> = {
  renewalOff: "will-not-renew",
  renewalOn: "will-renew",
  ended: "expired",
  extended: "extended",
  graced: "in-grace",
  paused: "will-pause",
  changed: "will-change",
  refunded: "refunded",
};

/**
 * Takes in what is heard of a purchase, as part of a Firestore transaction. A refund takes back what the purchase gave, or the part of it
 * that the money is of: coins even if they were spent (the rest is owed), items as far as they are left, entitlements, once all of the
 * money has gone back, at once. A refund that is undone gives it all back. News that comes before its purchase is noted for it to meet. What
 * is kept back has given nothing, and so there is nothing to take.
 */
export async function hear(tx: Transaction, id: string, news: News): Promise<Outcome> {
  const reference = purchases().doc(id);
  const known = (await tx.get(reference)).data();
  const result = resultOf(news);
  if (!known) {
    const foretold: Foretold = { state: "foretold", updatedAt: timestamp() };
    tx.create(reference, withNews(foretold, news));
    return { result: "foretold", purchase: id, news: result };
  }
  const next = withNews(known, news);
  if (next.state === "foretold") {
    tx.set(reference, next);
    return { result: "foretold", purchase: id, news: result };
  }
  if (next.withheld) return { ...(await settleWithheld(tx, id, next)), news: result };
  if (isRefunded(next) && known.state === "refunded") {
    tx.set(reference, next);
    return { result: "already-refunded", purchase: id };
  }
  return await change(tx, id, { purchase: next, result, isRefund: news.kind === "refunded" && news.amount > 0 });
}

async function change(
  tx: Transaction,
  id: string,
  { purchase, result, isRefund }: { purchase: Purchase; result: string; isRefund: boolean },
): Promise<Outcome> {
  const { user, grant, movedTo } = purchase;
  const holder = movedTo ?? user;
  const { changes, after } = settlement(id, purchase);
  const prepared = await prepareChanges(tx, user, changes);
  const held = await readEntitlements(tx, holder, grant.entitlements);
  const settled = after(prepared.done);

  writeEntitlements(tx, held, { user: holder, id, ground: groundOf(settled) });
  tx.set(purchases().doc(id), settled);
  prepared.write();
  const last = prepared.done.at(-1);
  if (isRefund) tellRefund(tx, id, { purchase: settled, transaction: last?.transaction });
  return {
    result,
    purchase: id,
    user,
    entitlements: grant.entitlements,
    ...(last ? { transaction: last.transaction } : {}),
    ...missing(settled.takenBack),
  };
}

/** Tells that money went back, for whoever counts that; a write, and none while nobody does. */
function tellRefund(
  tx: Transaction,
  id: string,
  { purchase, transaction }: { purchase: Purchase; transaction: string | undefined },
): void {
  const { user, refund, purchasedAt } = purchase;
  if (!(refund && isWatching())) return;
  const { by, amount, of } = refund;
  const told = { purchase: id, user, by, amount, of, purchasedAt: purchasedAt.toMillis() };
  emit(tx, {
    type: "purchase.refunded",
    key: `${id} ${refund.at.toMillis()} ${refund.amount}`,
    data: transaction === undefined ? told : { ...told, transaction },
  });
}

function resultOf(news: News): string {
  if (news.kind !== "refunded") return RESULTS[news.kind];
  if (news.amount === 0) return "refund-reversed";
  return news.amount < news.of ? "partly-refunded" : news.by === "chargeback" ? "charged-back" : "refunded";
}

/** Items that should have gone back and were used up. */
function missing(takenBack: readonly TakenBack[] = []): { missingItems?: Reward["items"] } {
  const missingItems: Record<string, number> = {};
  for (const one of takenBack) {
    for (const [item, n] of Object.entries(one.missingItems ?? {})) missingItems[item] = (missingItems[item] ?? 0) + n;
  }
  return Object.keys(missingItems).length > 0 ? { missingItems } : {};
}
