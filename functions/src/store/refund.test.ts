import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { currencyOf, post } from "../ledger/index.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { transact } from "../platform/firestore.ts";
import { listInventory } from "../rewards/inventory.ts";
import { grant } from "./grant.ts";
import { hear } from "./hear.ts";
import { type News, type PurchaseFact, purchaseId } from "./purchase.ts";
import { purchases } from "./records.ts";

useBackend();

const PRODUCT = {
  title: "Pack",
  grant: { coins: { COIN: 999, GEM: 10 }, items: { sword: 3 }, entitlements: ["pro"] },
  grantDuringTrial: false,
};

const bought = (uid: string): PurchaseFact => ({
  user: uid,
  product: "pack",
  store: "STRIPE",
  environment: "PRODUCTION",
  transaction: `pi_${uid}`,
  purchasedAt: Date.now(),
  expiresAt: null,
  isFree: false,
  price: { amount: 999, currency: "USD" },
});
const buy = async (uid: string) => {
  const fact = bought(uid);
  await transact((tx) => grant(tx, fact, { product: PRODUCT, via: "webhook" }));
  return purchaseId(fact);
};
const refund = (amount: number, at: number, by: "refund" | "chargeback" = "refund"): News => ({
  kind: "refunded",
  amount,
  of: 999,
  by,
  at,
});
const told = (id: string, news: News) => transact((tx) => hear(tx, id, news));

const has = async (uid: string) => {
  const [{ balances }, { items }] = await Promise.all([wallet({ uid }), listInventory({ uid }, { limit: 10 })]);
  const of = (code: string) => balances.find(({ currency }) => currency === code);
  return {
    coins: (of("COIN")?.available ?? 0) - (of("COIN")?.owed ?? 0),
    gems: of("GEM")?.available ?? 0,
    swords: items[0]?.quantity ?? 0,
  };
};
test("whoever has paid has what they paid for, however full their wallet is, and so when a refund is undone", async () => {
  const { uid } = someone();
  const full = currencyOf("GEM").maximumBalance;
  const fill = (amount: number) =>
    post({
      key: `fill ${uid} ${amount}`,
      kind: "grant",
      postings: [{ from: "system:mint", to: uid, amount, currency: "GEM" }],
      reference: "test",
    });
  await fill(full);
  const id = await buy(uid);
  expect(await has(uid)).toMatchObject({ gems: full + 10 });
  await told(id, refund(999, 1_000));
  expect(await has(uid)).toMatchObject({ gems: full });
  await told(id, refund(0, 2_000));
  expect(await has(uid)).toMatchObject({ gems: full + 10 });
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

const spend = (uid: string, amount: number) =>
  post({
    key: `spend ${uid} ${amount}`,
    kind: "spend",
    postings: [{ from: uid, to: "system:revenue", amount, currency: "COIN" }],
    reference: "test",
  });

describe("a refund of a part of the price", () => {
  test("takes the same part of what was given, rounded down, and the rest with the rest of the price", async () => {
    const { uid } = someone();
    const id = await buy(uid);
    expect(await told(id, refund(333, 1))).toMatchObject({ result: "partly-refunded" });
    expect(await has(uid)).toEqual({ coins: 666, gems: 7, swords: 2 });
    await told(id, refund(500, 2));
    expect(await has(uid)).toEqual({ coins: 499, gems: 5, swords: 2 });
    expect((await purchases().doc(id).get()).data()).toMatchObject({ state: "granted" });
    expect(await told(id, refund(999, 3))).toMatchObject({ result: "refunded" });
    expect(await has(uid)).toEqual({ coins: 0, gems: 0, swords: 0 });
    expect((await purchases().doc(id).get()).data()).toMatchObject({ state: "refunded" });
  });

  test("heard of before the purchase is taken when that comes", async () => {
    const { uid } = someone();
    const id = purchaseId(bought(uid));
    await told(id, refund(333, 1));
    await buy(uid).catch(() => undefined);
    await transact(async (tx) => {
      const known = (await tx.get(purchases().doc(id))).data();
      return await grant(tx, bought(uid), { product: PRODUCT, via: "webhook", known });
    });
    expect(await has(uid)).toEqual({ coins: 666, gems: 7, swords: 2 });
  });
});

describe("a refund that is undone", () => {
  test("gives back what it took, and settles what is owed for it", async () => {
    const { uid } = someone();
    const id = await buy(uid);
    await spend(uid, 600);
    await told(id, refund(999, 1, "chargeback"));
    expect(await has(uid)).toEqual({ coins: -600, gems: 0, swords: 0 });
    expect(await told(id, refund(0, 2, "chargeback"))).toMatchObject({ result: "refund-reversed" });
    expect(await has(uid)).toEqual({ coins: 399, gems: 10, swords: 3 });
    expect((await purchases().doc(id).get()).data()).toMatchObject({ state: "granted" });
  });

  test("leaves another that stands", async () => {
    const { uid } = someone();
    const id = await buy(uid);
    await told(id, refund(333, 1));
    await told(id, refund(999, 2, "chargeback"));
    await told(id, refund(333, 3, "chargeback"));
    expect(await has(uid)).toEqual({ coins: 666, gems: 7, swords: 2 });
  });
});

test("whatever is heard of refunds, in whatever order and however often, the latest word counts and the books fit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 20 })), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.integer({ min: 0, max: 999 }),
      async (levels, spent) => {
        const { uid } = someone();
        const id = await buy(uid);
        if (spent > 0) await spend(uid, spent);
        for (const [amount, at] of levels) await told(id, refund(amount, at));
        const last = Math.max(...levels.map(([, at]) => at));
        const amount = Math.max(...levels.filter(([, at]) => at === last).map(([level]) => level));
        expect(await has(uid)).toEqual({
          coins: 999 - spent - amount,
          gems: 10 - Math.floor((10 * amount) / 999),
          swords: 3 - Math.floor((3 * amount) / 999),
        });
      },
    ),
    { numRuns: 40 },
  );
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
