import type * as z from "zod";
import type { Caller } from "../../platform/endpoint.ts";
import { type Transaction, transact } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import { SoldOut, type Take, taking } from "../../platform/stock.ts";
import { prepareChanges, type Reward } from "../../rewards/index.ts";
import { once } from "../shop/once.ts";
import type { Redeemed, RedeemRequest } from "./contract.ts";
import { checkOpen, codePile, type FoundCode, findCode, over, prepareUse } from "./use.ts";

/**
 * Redeems a code: its reward, at most once for each key and as often as the code may be redeemed. Of a discount it says what it is; taking
 * it is `store/buy`'s.
 *
 * Bill: 2 reads to look the code up; 1 for what the user has redeemed, 1 for each currency, entitlement, and 1 if there is an end to it for
 * everybody; a write for each of these but the looking up, for the ledger's transaction and for each item.
 * Refuses `unknown-code`, `too-many-attempts`, `code-over`, `limit-reached`, `busy`.
 */
export async function redeem(caller: Caller, request: z.output<typeof RedeemRequest>): Promise<Redeemed> {
  const code = await findCode(caller.uid, request.code);
  const { title, gives } = code.promo;
  if (gives.kind === "discount") {
    checkOpen(code);
    return { title, discount: { product: gives.product, percent: gives.percent }, repeated: false };
  }
  const order: Order = { user: caller.uid, code, key: request.key ?? code.id, reward: gives.reward };
  const isNew = await once(
    () => usingUp(code, caller.uid + order.key, (take) => transact((tx) => carryOut(tx, order, take))),
    async () => undefined,
  );
  return { title, reward: gives.reward, repeated: !isNew };
}

/** Runs a transaction that uses a code, if need be with another part of how often it may be used. */
export async function usingUp<T>(code: FoundCode, seed: string, use: (take: Take) => Promise<T>): Promise<T> {
  const pile = codePile(code, seed);
  try {
    return await taking(pile, use);
  } catch (error) {
    if (error instanceof SoldOut && error.path === pile?.path) throw over();
    throw error;
  }
}

interface Order {
  readonly user: string;
  readonly code: FoundCode;
  readonly key: string;
  readonly reward: Reward;
}

/** Returns whether it was new. */
async function carryOut(tx: Transaction, { user, code, key, reward }: Order, take: Take): Promise<boolean> {
  const use = await prepareUse(tx, user, code, { key, by: "redeeming" });
  if (use.usedBefore !== undefined) return false;
  const id = deterministicId("redemption", user, code.campaign, key);
  const { campaign } = code;
  const changes = await prepareChanges(tx, user, [
    {
      key: id,
      kind: "grant",
      direction: "give",
      coins: reward.coins,
      items: reward.items,
      entitlements: reward,
      reference: `promo:${campaign}`,
      metadata: { promo: code.id },
    },
  ]);
  const stock = await take(tx);
  changes.write();
  use.write(changes.done[0]?.transaction ?? "");
  stock.write();
  return true;
}
