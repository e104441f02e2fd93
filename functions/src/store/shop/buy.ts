import type * as z from "zod";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { type Transaction, transact } from "../../platform/firestore.ts";
import { fingerprint } from "../../platform/ids.ts";
import { type Take, taking } from "../../platform/stock.ts";
import { endAfter, groundsFrom, prepareChanges, readEntitlements, writeEntitlements } from "../../rewards/index.ts";
import { discountFor, type UseDiscount, withDiscount } from "../promos/discount.ts";
import { groundOf, type PurchaseFact, purchaseId, purchaseOf, withoutRenewal } from "../purchase.ts";
import { queueReceipts } from "../receipts/number.ts";
import { type Purchase, purchases } from "../records.ts";
import type { Bought, BuyRequest } from "./contract.ts";
import { countFor } from "./limits.ts";
import { checkSame, once } from "./once.ts";
import { checkPrice, pileOf, type Sale, saleOf } from "./sale.ts";

/** The store of what is paid with a wallet. */
export const WALLET = "WALLET";

/** A request to buy, as it is carried out. */
interface Order extends Omit<z.output<typeof BuyRequest>, "key"> {
  readonly user: string;
  /** The id of the purchase. */
  readonly id: string;
  readonly fact: PurchaseFact;
  readonly fingerprint: string;
}

/**
 * Buys a product with the wallet: one transaction of the ledger that pays and gives coins, the items, the entitlements and the record of
 * the purchase, all or nothing and once for each key of a user.
 *
 * Bill, with one item: 2 reads (the key, the account), 4 writes (account, ledger transaction, item, purchase). A read and a write more for a limit by
 * user, for a limited stock and for each entitlement; with a code those of redeeming it. Repeated: 1 read.
 * Refuses `unknown-product`, `not-for-sale`, `offer-over`, `price-changed`, `limit-reached`, `sold-out`, `busy`, what the ledger refuses, and
 * of a code what redeeming it refuses.
 */
export async function buy(caller: Caller, request: z.output<typeof BuyRequest>): Promise<Bought> {
  const { key, ...wanted } = request;
  const fact = walletFact(caller.uid, key, wanted);
  const id = purchaseId(fact);
  const order: Order = { ...wanted, user: caller.uid, id, fact, fingerprint: fingerprint(wanted) };
  return await once(
    async () => {
      const sale = await saleOf(wanted);
      const discount = await discountFor(caller.uid, wanted);
      const pile = pileOf(sale.product, wanted, id);
      const purchase = await taking(pile, (take) =>
        withDiscount(discount, id, (use) => transact((tx) => carryOut(tx, order, sale, { take, use }))),
      );
      await queueReceipts();
      return boughtOf(id, purchase, false);
    },
    async () => {
      const known = (await purchases().doc(id).get()).data();
      if (!known || known.state === "foretold") return undefined;
      checkSame(order.fingerprint, known.fingerprint);
      return boughtOf(id, known, true);
    },
  );
}

/** A purchase that is paid with a wallet, before it has a price. */
export function walletFact(user: string, key: string, { product }: { readonly product: string }): PurchaseFact {
  return {
    user,
    product,
    store: WALLET,
    environment: "PRODUCTION",
    // An id of a user may have colons in it.
    transaction: `${encodeURIComponent(user)}:${key}`,
    purchasedAt: now(),
    expiresAt: null,
    isFree: false,
    price: undefined,
  };
}

async function carryOut(
  tx: Transaction,
  order: Order,
  sale: Sale,
  { take, use }: { take: Take; use: UseDiscount },
): Promise<Purchase> {
  const { user, id, product, currency, count } = order;
  const discount = await use(tx, user);
  const price = discount.priceOf(sale.price);
  checkPrice(price, order.expectedPrice);
  const paid = { amount: price * count, currency };
  const writeLimit = await countFor(tx, user, { product, count, limit: sale.product.limits?.perUser });
  const changes = await prepareChanges(tx, user, [
    {
      key: id,
      kind: "spend",
      direction: "give",
      costs: { coins: { [currency]: paid.amount }, items: {} },
      coins: sale.grant.coins,
      items: sale.grant.items,
      reference: `purchase:${id}`,
      metadata: { product, count },
    },
  ]);
  const held = await readEntitlements(tx, user, sale.grant.entitlements);
  const stock = await take(tx);

  const paidBy = changes.done[0]?.transaction ?? "";
  // What lasts for a time begins when what was bought of it before ends.
  const end = endAfter(groundsFrom(WALLET, held.values()), sale.grant.entitlementSeconds);
  const purchase: Purchase = {
    ...purchaseOf({ ...order.fact, price: paid }, { grant: sale.grant, via: "wallet" }, undefined),
    ...(end === null ? {} : withoutRenewal(order.fact.purchasedAt, end)),
    fingerprint: order.fingerprint,
    paidBy,
  };
  tx.create(purchases().doc(id), purchase);
  changes.write();
  writeEntitlements(tx, held, { user, id, ground: groundOf(purchase) });
  writeLimit();
  stock.write();
  discount.write(paidBy);
  return purchase;
}

function boughtOf(id: string, { paidBy = "", price, grant }: Purchase, repeated: boolean): Bought {
  return { purchase: id, transaction: paidBy, paid: price ?? { amount: 0, currency: "" }, grant, repeated };
}
