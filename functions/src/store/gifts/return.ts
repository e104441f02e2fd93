import { prepareNotice } from "../../notices/index.ts";
import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { putBack, readShards } from "../../platform/stock.ts";
import { prepareChanges } from "../../rewards/index.ts";
import { purchases } from "../records.ts";
import { uncountFor } from "../shop/limits.ts";
import { stockPath } from "../shop/sale.ts";
import { type Gift, gifts } from "./records.ts";

const PAGE = 100;
const MAX_PAGES = 20;

/**
 * Sends gifts back that nobody has taken in time. For a schedule; what does not fit into one time is for the next, and nothing hangs on it,
 * because a gift cannot be taken after its time either. Returns how many there were.
 */
export async function expireGifts(): Promise<number> {
  const due = gifts().where("state", "==", "pending").where("expiresAt", "<=", timestamp()).orderBy("expiresAt");
  let count = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { docs } = await due.limit(PAGE).get();
    const done = await Promise.allSettled(docs.map(({ id }) => expire(id)));
    const failed = done.filter((one) => one.status === "rejected");
    for (const { reason } of failed) log.error("gift not sent back", reason);
    count += docs.length - failed.length;
    // What has failed would be the same again.
    if (docs.length < PAGE || failed.length > 0) return count;
  }
  log.warn("more gifts have expired than one run can take", { gifts: count });
  return count;
}

async function expire(id: string): Promise<void> {
  await transact(async (tx) => {
    const gift = (await tx.get(gifts().doc(id))).data();
    if (gift?.state === "pending") (await prepareReturn(tx, id, gift))("expired");
  });
}

/**
 * Prepares that a gift that nobody has taken goes back: its payment is reversed, and the stock and the buyer's limit have it again.
 * Bill: a read for the payment and the account, a shard and the limit if there are any; a write for each of these, the reversal, the
 * purchase, the gift and the buyer's notice.
 */
export async function prepareReturn(
  tx: Transaction,
  id: string,
  gift: Gift,
): Promise<(state: "declined" | "expired" | "rejected") => void> {
  const { from, to, product, picked, paidBy } = gift;
  const changes = await prepareChanges(tx, from, [
    {
      key: `gift back ${id}`,
      kind: "refund",
      direction: "give",
      coins: {},
      items: {},
      reference: `gift:${id}`,
      metadata: { product },
      reverses: paidBy,
      // What the giver has paid is theirs again, however full their wallet is by now.
      pastMaximum: true,
    },
  ]);
  const known = await readShards(tx, stockPath(product), picked);
  const uncount = gift.isLimited ? await uncountFor(tx, from, { product, count: 1 }) : undefined;
  return (state) => {
    const at = timestamp();
    changes.write();
    putBack(tx, stockPath(product), picked, known);
    uncount?.();
    const refund = { amount: 1, of: 1, by: "refund", at } as const;
    tx.update(purchases().doc(gift.purchase), { state: "refunded", refund, updatedAt: at });
    tx.set(gifts().doc(id), { ...gift, state, answeredAt: at });
    prepareNotice(tx, { user: from, key: id, kind: "gift-returned", data: { gift: id, to, product, state } });
  };
}
