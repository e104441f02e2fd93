import type * as z from "zod";
import { type Assessment, assess, openReview } from "../../fraud/index.ts";
import { prepareNotice } from "../../notices/index.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure, invalidInput } from "../../platform/failure.ts";
import { type Timestamp, type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId, fingerprint } from "../../platform/ids.ts";
import { type Sealed, sealerFor } from "../../platform/seal.ts";
import { type Take, taking } from "../../platform/stock.ts";
import { NOTHING, prepareChanges } from "../../rewards/index.ts";
import { purchaseId, purchaseOf } from "../purchase.ts";
import { queueReceipts } from "../receipts/number.ts";
import { type Purchase, purchases } from "../records.ts";
import { walletFact } from "../shop/buy.ts";
import { countFor } from "../shop/limits.ts";
import { checkSame, once } from "../shop/once.ts";
import { checkPrice, pileOf, type Sale, saleOf } from "../shop/sale.ts";
import type { GiftRequest, Given } from "./contract.ts";
import { type Gift, gifts } from "./records.ts";

/** After so long a gift that nobody has taken goes back. */
const KEEP_MILLIS = 14 * 86_400_000;

interface Order extends Omit<z.output<typeof GiftRequest>, "message"> {
  readonly from: string;
  /** The ids of the gift and of the purchase. */
  readonly id: string;
  readonly purchase: string;
  readonly fingerprint: string;
  readonly message: Sealed | undefined;
  /** What the rules against fraud made of it; none: everything goes. */
  readonly assessment: Assessment | undefined;
}

/**
 * Buys a product for somebody else: the buyer pays at once, under the buyer's limits, and the receiver gets it by accepting it within 14
 * days; otherwise the buyer has everything again. A message is sealed with the receiver's key, and is not a part of what the key of the
 * request stands for, so that nothing of it is stored but that.
 *
 * Bill: 2 reads (the key, the account), 5 writes (account, ledger transaction, purchase, gift, notice); a read and a write more for a limit by user
 * and for a limited stock; with a message a read in a while. Repeated: 1 read. Unless `FRAUD` is `off`, what `assess` costs besides.
 *
 * What the rules against fraud doubt is paid and waits for an operator, unseen by its receiver; see review.ts. What they block is refused.
 * Refuses what `store/buy` does, `user-erased` for a message to somebody who was, and `gift-refused`.
 */
export async function give(caller: Caller, request: z.output<typeof GiftRequest>): Promise<Given> {
  const { key, message, ...wanted } = request;
  if (wanted.to === caller.uid) throw invalidInput("to", "A gift is for somebody else.");
  const fact = walletFact(caller.uid, key, wanted);
  const purchase = purchaseId(fact);
  const id = deterministicId("gift", purchase);
  const asked = fingerprint(wanted);
  return await once(
    async () => {
      const one = { ...wanted, count: 1 };
      const sale = await saleOf(one);
      const sealed = message === undefined ? undefined : (await sealerFor(wanted.to)).seal(messagePlace(id), message);
      const assessment = await judged(id, caller.uid, { product: wanted.product, currency: wanted.currency, sale });
      const order: Order = {
        ...request,
        from: caller.uid,
        id,
        purchase,
        fingerprint: asked,
        message: sealed,
        assessment,
      };
      const made = await taking(pileOf(sale.product, one, purchase), (take) =>
        transact((tx) => carryOut(tx, order, sale, take)),
      );
      await queueReceipts();
      return givenOf(id, purchase, { made, repeated: false });
    },
    async () => {
      const known = (await purchases().doc(purchase).get()).data();
      if (!known || known.state === "foretold") return undefined;
      checkSame(asked, known.fingerprint);
      return givenOf(id, purchase, { made: known, repeated: true });
    },
  );
}

async function judged(
  id: string,
  user: string,
  { product, currency, sale }: { product: string; currency: string; sale: Sale },
): Promise<Assessment | undefined> {
  const amount = { amount: sale.price, currency };
  const assessment = await assess({ kind: "gift", id, user, at: now(), amount, product });
  if (assessment?.verdict !== "block") return assessment;
  throw new Failure("permission-denied", "This gift cannot be given.", { reason: "gift-refused" });
}

/** Where the message of a gift is sealed. */
export function messagePlace(gift: string): string {
  return `gifts/${gift}#message`;
}

async function carryOut(tx: Transaction, order: Order, sale: Sale, take: Take): Promise<Purchase> {
  const { from, to, id, product, currency, assessment } = order;
  const inReview = assessment?.verdict === "review" ? assessment : undefined;
  checkPrice(sale.price, order.expectedPrice);
  const perUser = sale.product.limits?.perUser;
  const writeLimit = await countFor(tx, from, { product, count: 1, limit: perUser });
  const changes = await prepareChanges(tx, from, [
    {
      key: order.purchase,
      kind: "spend",
      direction: "give",
      costs: { coins: { [currency]: sale.price }, items: {} },
      coins: {},
      items: {},
      reference: `gift:${id}`,
      metadata: { product },
    },
  ]);
  const stock = await take(tx);

  const paidBy = changes.done[0]?.transaction ?? "";
  const fact = walletFact(from, order.key, order);
  const purchase: Purchase = {
    ...purchaseOf({ ...fact, price: { amount: sale.price, currency } }, { grant: NOTHING, via: "wallet" }, undefined),
    fingerprint: order.fingerprint,
    paidBy,
    gift: id,
  };
  const gift: Gift = {
    state: inReview ? "review" : "pending",
    from,
    to,
    product,
    grant: sale.grant,
    purchase: order.purchase,
    paidBy,
    picked: { ...stock.picked },
    isLimited: perUser !== undefined,
    ...(order.message ? { message: order.message } : {}),
    createdAt: timestamp(),
    expiresAt: keepUntil(),
  };
  tx.create(purchases().doc(order.purchase), purchase);
  tx.create(gifts().doc(id), gift);
  changes.write();
  writeLimit();
  stock.write();
  if (inReview) openReview(tx, { kind: "gift", subject: id, user: from, amount: purchase.price }, inReview);
  else tellReceiver(tx, id, gift);
  return purchase;
}

/** Tells the receiver that a gift waits. One write. */
export function tellReceiver(tx: Transaction, id: string, { to, from, product }: Gift): void {
  prepareNotice(tx, { user: to, key: id, kind: "gift", data: { gift: id, from, product }, mail: true });
}

/** From now on: when a gift goes back that nobody has taken. */
export function keepUntil(): Timestamp {
  return timestamp(now() + KEEP_MILLIS);
}

function givenOf(gift: string, purchase: string, of: { made: Purchase; repeated: boolean }): Given {
  return { gift, purchase, paid: of.made.price ?? { amount: 0, currency: "" }, repeated: of.repeated };
}
