import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { currencyOf, post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { listNotices } from "../../notices/inbox.ts";
import { now, setClock } from "../../platform/clock.ts";
import { destroyKey } from "../../platform/keys/data-keys.ts";
import { shards } from "../../platform/stock.ts";
import { listInventory } from "../../rewards/inventory.ts";
import { entitlements } from "../../rewards/records.ts";
import { defineProduct } from "../catalog.ts";
import { DefineProduct } from "../contract.ts";
import { buy } from "../shop/buy.ts";
import { BuyRequest } from "../shop/contract.ts";
import { listPurchases } from "../shop/purchases.ts";
import { acceptGift, declineGift } from "./answer.ts";
import { GiftRequest } from "./contract.ts";
import { give } from "./give.ts";
import { listGifts } from "./inbox.ts";
import { gifts } from "./records.ts";
import { expireGifts } from "./return.ts";

const backend = useBackend();

const DAY = 86_400_000;

async function sell(more: object = {}): Promise<string> {
  const id = `p-${randomUUID()}`;
  const product = { title: "Rose", grant: { coins: { GEM: 3 }, items: { rose: 1 }, entitlements: ["vip"] } };
  await defineProduct(
    { uid: "olga" },
    DefineProduct.parse({ id, product: { ...product, prices: { COIN: 30 }, ...more } }),
  );
  return id;
}
async function rich(coins = 100) {
  const { uid } = someone();
  const postings = [{ from: "system:mint", to: uid, amount: coins, currency: "COIN" }];
  await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
  return { uid };
}
const order = (product: string, to: string, more: object = {}) =>
  GiftRequest.parse({ key: randomUUID(), product, to, currency: "COIN", expectedPrice: 30, ...more });
const has = async (caller: { uid: string }) => {
  const [{ balances }, { items }] = await Promise.all([wallet(caller), listInventory(caller, { limit: 10 })]);
  const of = (code: string) => balances.find(({ currency }) => currency === code)?.available ?? 0;
  return { coins: of("COIN"), gems: of("GEM"), roses: items[0]?.quantity ?? 0 };
};
const inbox = async (caller: { uid: string }) => (await listGifts(caller, { limit: 10 })).gifts;
const told = async (caller: { uid: string }) =>
  (await listNotices(caller, { limit: 10 })).notices.map(({ kind }) => kind);

describe("a gift", () => {
  test("goes back to a giver whose wallet is full by now", async () => {
    const [ada, bo] = [await rich(), someone()];
    const { gift } = await give(ada, order(await sell(), bo.uid));
    const full = currencyOf("COIN").maximumBalance;
    const postings = [{ from: "system:mint", to: ada.uid, amount: full - 70, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
    expect(await declineGift(bo, { gift })).toMatchObject({ state: "declined" });
    expect(await has(ada)).toMatchObject({ coins: full + 30 });
  });

  test("of something for a time lasts for that time from when it is taken", async () => {
    const [ada, bo] = [await rich(), someone()];
    const product = await sell({ grant: { entitlements: ["pass"], entitlementSeconds: 3_600 } });
    const { gift } = await give(ada, order(product, bo.uid));
    const unset = setClock(now() + DAY);
    await acceptGift(bo, { gift });
    const left = ((await entitlements(bo.uid).doc("pass").get()).data()?.expiresAt?.toMillis() ?? 0) - now();
    unset();
    expect(left).toBeGreaterThan(3_590_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  test("is paid by one, waits for the other with its message, and is theirs when they take it", async () => {
    const [ada, bo, cy] = [await rich(), someone(), someone()];
    const product = await sell();
    const { gift } = await give(ada, order(product, bo.uid, { message: "For you ♥" }));
    expect(await has(ada)).toEqual({ coins: 70, gems: 0, roses: 0 });
    expect(await inbox(bo)).toMatchObject([{ gift, from: ada.uid, product, message: "For you ♥" }]);
    expect([await inbox(ada), await inbox(cy)]).toEqual([[], []]);
    expect(await told(bo)).toEqual(["gift"]);
    for (const other of [ada, cy]) {
      await expect(acceptGift(other, { gift })).rejects.toMatchObject({ reason: "unknown-gift" });
    }
    expect(await acceptGift(bo, { gift })).toMatchObject({ state: "accepted", repeated: false });
    expect(await has(bo)).toEqual({ coins: 0, gems: 3, roses: 1 });
    expect((await entitlements(bo.uid).doc("vip").get()).data()).toMatchObject({ product, expiresAt: null });
    expect(await inbox(bo)).toEqual([]);
    expect(await told(ada)).toEqual(["gift-accepted"]);
    expect((await listPurchases(ada, { limit: 5 })).purchases).toMatchObject([{ product, gift, store: "WALLET" }]);
  });

  test("costs a read and five writes to give", async () => {
    const product = await sell();
    await give(await rich(), order(product, someone().uid));
    const [ada, bo] = [await rich(), someone()];
    const { bill } = await backend.billed(() => give(ada, order(product, bo.uid)));
    expect(bill).toMatchObject({ reads: 2, writes: 5 });
  });

  test("is given once with a key and taken once, however often and at once", async () => {
    const [ada, bo] = [await rich(30), someone()];
    const request = order(await sell(), bo.uid, { message: "!" });
    const all = await Promise.all(Array.from({ length: 4 }, () => give(ada, request)));
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    const gift = all[0]?.gift ?? "";
    const taken = await Promise.all(Array.from({ length: 4 }, () => acceptGift(bo, { gift })));
    expect(taken.filter(({ repeated }) => !repeated)).toHaveLength(1);
    expect(await has(bo)).toEqual({ coins: 0, gems: 3, roses: 1 });
    await expect(give(ada, { ...request, to: "somebody-else" })).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
  });

  test("that is declined goes back, and so do the stock and the limit", async () => {
    const [ada, bo] = [await rich(), someone()];
    const product = await sell({ limits: { stock: 1, perUser: 1 } });
    const { gift } = await give(ada, order(product, bo.uid));
    await expect(give(ada, order(product, bo.uid))).rejects.toMatchObject({ reason: "limit-reached" });
    expect(await declineGift(bo, { gift })).toEqual({ state: "declined", repeated: false });
    expect(await declineGift(bo, { gift })).toEqual({ state: "declined", repeated: true });
    await expect(acceptGift(bo, { gift })).rejects.toMatchObject({ reason: "gift-closed" });
    expect(await has(ada)).toEqual({ coins: 100, gems: 0, roses: 0 });
    expect((await shards(`catalog/${product}`).doc("0").get()).data()).toEqual({ allotted: 1, sold: 0 });
    expect(await told(ada)).toEqual(["gift-returned"]);
    expect((await listPurchases(ada, { limit: 5 })).purchases).toMatchObject([{ state: "refunded" }]);
    const again = { key: randomUUID(), product, currency: "COIN", expectedPrice: 30 };
    expect(await buy(ada, BuyRequest.parse(again))).toMatchObject({ repeated: false });
  });

  test("that is not taken in 14 days goes back by itself, once, and cannot be taken any more", async () => {
    const [ada, bo] = [await rich(), someone()];
    const { gift } = await give(ada, order(await sell(), bo.uid));
    const unset = setClock(now() + 14 * DAY);
    await expect(acceptGift(bo, { gift })).rejects.toMatchObject({ reason: "gift-closed" });
    expect(await inbox(bo)).toEqual([]);
    await Promise.all([expireGifts(), expireGifts()]);
    expect(await expireGifts()).toBe(0);
    unset();
    expect(await has(ada)).toEqual({ coins: 100, gems: 0, roses: 0 });
    expect((await gifts().doc(gift).get()).data()).toMatchObject({ state: "expired" });
  });

  test("is either taken or goes back, whoever is first", async () => {
    for (let round = 0; round < 8; round++) {
      const [ada, bo] = [await rich(30), someone()];
      const { gift } = await give(ada, order(await sell(), bo.uid));
      const both = await Promise.allSettled([acceptGift(bo, { gift }), declineGift(bo, { gift })]);
      expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const [giver, taker] = [await has(ada), await has(bo)];
      expect([giver.coins, taker.roses]).toEqual(both[0].status === "fulfilled" ? [0, 1] : [30, 0]);
    }
  });

  test("has a message that only its receiver's key opens: it is gone with that, and the gift is not", async () => {
    const [ada, bo] = [await rich(), someone()];
    const { gift } = await give(ada, order(await sell(), bo.uid, { message: "our secret" }));
    expect(JSON.stringify((await gifts().doc(gift).get()).data())).not.toContain("our secret");
    await destroyKey(bo.uid);
    expect(await inbox(bo)).toMatchObject([{ gift }]);
    expect((await inbox(bo))[0]).not.toHaveProperty("message");
    await expect(give(ada, order(await sell(), bo.uid, { message: "more" }))).rejects.toMatchObject({
      reason: "user-erased",
    });
    expect((await has(ada)).coins).toBe(70);
  });

  test("is for somebody else, and has a message of 500 characters at most", async () => {
    const [ada, product] = [await rich(), await sell()];
    await expect(give(ada, order(product, ada.uid))).rejects.toMatchObject({ reason: "invalid-input" });
    expect(() => order(product, "bo", { message: "x".repeat(501) })).toThrow();
    expect(() => order(product, "system:mint")).toThrow();
  });
});

test("the books fit after all of it", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
