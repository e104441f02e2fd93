import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { post } from "../../ledger/index.ts";
import { verify } from "../../ledger/verify.ts";
import { wallet } from "../../ledger/wallet.ts";
import { setClock } from "../../platform/clock.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { timestamp } from "../../platform/firestore.ts";
import { shards } from "../../platform/stock.ts";
import { listInventory } from "../../rewards/inventory.ts";
import { entitlements } from "../../rewards/records.ts";
import { defineProduct } from "../catalog.ts";
import { DefineProduct } from "../contract.ts";
import { purchases } from "../records.ts";
import { buy } from "./buy.ts";
import { BuyRequest } from "./contract.ts";

const backend = useBackend();

const OPERATOR = { uid: "olga" };
const sword = { items: { sword: 1 } };

/** Puts a product into the catalog, under a name of its own. */
async function sell(product: object, id = `p-${randomUUID()}`): Promise<string> {
  await defineProduct(
    OPERATOR,
    DefineProduct.parse({ id, product: { title: "Thing", prices: { COIN: 30 }, ...product } }),
  );
  return id;
}
async function buyer(coins: number) {
  const { uid } = someone();
  await post({
    key: randomUUID(),
    kind: "grant",
    postings: [{ from: "system:mint", to: uid, amount: coins, currency: "COIN" }],
    reference: "test",
  });
  return { uid };
}
const order = (product: string, more: object = {}) =>
  parseInput(BuyRequest, { key: randomUUID(), product, currency: "COIN", expectedPrice: 30, ...more });
const has = async (caller: { uid: string }) => {
  const [{ balances }, { items }] = await Promise.all([wallet(caller), listInventory(caller, { limit: 10 })]);
  const of = (code: string) => balances.find(({ currency }) => currency === code)?.available ?? 0;
  return {
    coins: of("COIN"),
    gems: of("GEM"),
    items: Object.fromEntries(items.map((one) => [one.item, one.quantity])),
  };
};

describe("whoever buys with coins", () => {
  test("shares no key with a user whose id begins like theirs", async () => {
    const product = await sell({ grant: sword });
    const { uid } = await buyer(30);
    const other = { uid: `${uid}:steam` };
    const postings = [{ from: "system:mint", to: other.uid, amount: 30, currency: "COIN" }];
    await post({ key: randomUUID(), kind: "grant", postings, reference: "test" });
    await buy(other, order(product, { key: "12345678" }));
    await buy({ uid }, order(product, { key: "steam:12345678" }));
    expect([await has(other), await has({ uid })]).toMatchObject([{ items: { sword: 1 } }, { items: { sword: 1 } }]);
  });

  test("has what is sold for a time for that time, and for as long again when they buy more", async () => {
    const product = await sell({ grant: { entitlements: ["pass"], entitlementSeconds: 3_600 } });
    const ada = await buyer(200);
    const unset = setClock(1_000_000);
    await buy(ada, order(product));
    const pass = async () => (await entitlements(ada.uid).doc("pass").get()).data();
    expect(await pass()).toMatchObject({ expiresAt: timestamp(4_600_000), willRenew: false });
    await buy(ada, order(product, { count: 2 }));
    unset();
    expect(await pass()).toMatchObject({ expiresAt: timestamp(11_800_000), willRenew: false });
  });

  test("pays and gets the item, for 1 read and 4 writes", async () => {
    const product = await sell({ grant: sword });
    const ada = await buyer(100);
    await buy(await buyer(30), order(product));
    const { result, bill } = await backend.billed(() => buy(ada, order(product)));
    expect(result).toMatchObject({ paid: { amount: 30, currency: "COIN" }, grant: sword, repeated: false });
    expect(bill).toMatchObject({ reads: 2, writes: 4 });
    expect(await has(ada)).toEqual({ coins: 70, gems: 0, items: { sword: 1 } });
    expect((await purchases().doc(result.purchase).get()).data()).toMatchObject({ store: "WALLET", state: "granted" });
  });

  test("gets a bundle whole: coins of the same and of another currency, items, an entitlement, as often as they pay", async () => {
    const grant = { coins: { COIN: 5, GEM: 7 }, items: { sword: 1, shield: 2 }, entitlements: ["vip"] };
    const product = await sell({ grant });
    const ada = await buyer(100);
    const bought = await buy(ada, order(product, { count: 3 }));
    expect(bought.paid.amount).toBe(90);
    expect(await has(ada)).toEqual({ coins: 25, gems: 21, items: { sword: 3, shield: 6 } });
    expect((await entitlements(ada.uid).doc("vip").get()).data()).toMatchObject({ expiresAt: null, product });
  });

  test("pays with what they have, not with what they are about to get", async () => {
    const product = await sell({ grant: { coins: { COIN: 500 } } });
    const ada = await buyer(29);
    await expect(buy(ada, order(product))).rejects.toMatchObject({ reason: "insufficient-funds" });
    expect(await has(ada)).toEqual({ coins: 29, gems: 0, items: {} });
  });

  test("buys once with a key, however often and at whatever pace they ask", async () => {
    const product = await sell({ grant: sword });
    const ada = await buyer(30);
    const request = order(product);
    const all = await Promise.all(Array.from({ length: 5 }, () => buy(ada, request)));
    expect(new Set(all.map(({ purchase }) => purchase)).size).toBe(1);
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    const { result, bill } = await backend.billed(() => buy(ada, request));
    expect(result).toEqual({ ...all[0], repeated: true });
    expect(bill).toMatchObject({ reads: 1, writes: 0 });
    await expect(buy(ada, { ...request, count: 2 })).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    expect(await has(ada)).toEqual({ coins: 0, gems: 0, items: { sword: 1 } });
  });

  test("may use a key that somebody else has used", async () => {
    const product = await sell({ grant: sword });
    const request = order(product);
    for (const caller of [await buyer(30), await buyer(30)]) {
      expect(await buy(caller, request)).toMatchObject({ repeated: false });
    }
  });
});

describe("nobody buys", () => {
  test.each([
    ["what is not in the catalog", { grant: sword }, { product: "nothing" }, "unknown-product"],
    ["for a currency without a price", { grant: sword }, { currency: "GEM" }, "not-for-sale"],
    ["for money with a wallet", { grant: sword, prices: { USD: 30 } }, { currency: "USD" }, "not-for-sale"],
    ["where it is not sold", { grant: sword, countries: ["DE"] }, { country: "FR" }, "not-for-sale"],
    ["without saying where, if that matters", { grant: sword, countries: ["DE"] }, {}, "not-for-sale"],
    ["before it is offered", { grant: sword, offer: { from: 4_000_000_000_000 } }, {}, "offer-over"],
    ["after it was offered", { grant: sword, offer: { until: 1_000 } }, {}, "offer-over"],
    ["for another price than they were shown", { grant: sword }, { expectedPrice: 29 }, "price-changed"],
    ["more than a user may", { grant: sword, limits: { perUser: 2 } }, { count: 3 }, "limit-reached"],
    ["more than there are", { grant: sword, limits: { stock: 2 } }, { count: 3 }, "sold-out"],
  ])("%s", async (_, product, more, reason) => {
    const id = await sell(product);
    const ada = await buyer(1_000);
    await expect(buy(ada, order(id, more))).rejects.toMatchObject({ reason });
    expect(await has(ada)).toEqual({ coins: 1_000, gems: 0, items: {} });
  });

  test("past the end of an offer by the clock, to the millisecond", async () => {
    const until = Date.now() + 10_000;
    const id = await sell({ grant: sword, offer: { until } });
    const ada = await buyer(1_000);
    const unset = setClock(until - 1);
    await buy(ada, order(id));
    setClock(until);
    await expect(buy(ada, order(id))).rejects.toMatchObject({ reason: "offer-over" });
    unset();
  });

  test("more than a user may in all, and is told how many are left", async () => {
    const id = await sell({ grant: sword, limits: { perUser: 5 } });
    const ada = await buyer(1_000);
    await buy(ada, order(id, { count: 3 }));
    await expect(buy(ada, order(id, { count: 3 }))).rejects.toMatchObject({ details: { limit: 5, remaining: 2 } });
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => buy(ada, order(id))));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect((await has(ada)).items).toEqual({ sword: 5 });
  });

  test("and the new price is told to whoever was shown an old one", async () => {
    const id = await sell({ grant: sword });
    await sell({ grant: sword, prices: { COIN: 40 } }, id);
    await expect(buy(await buyer(50), order(id))).rejects.toMatchObject({ details: { price: 40 } });
  });
});

describe("a stock", () => {
  const sold = async (id: string) =>
    (await shards(`catalog/${id}`).get()).docs.reduce((sum, document) => sum + document.data().sold, 0);

  test("of 100 goes to exactly 100 of 300 who want it at once", async () => {
    const id = await sell({ grant: sword, limits: { stock: 100 } });
    const buyers = await Promise.all(Array.from({ length: 300 }, () => buyer(30)));
    const tries = await Promise.allSettled(buyers.map((one) => persistent(one, order(id))));
    const refused = tries.flatMap((one) => (one.status === "rejected" ? [one.reason.reason] : []));
    expect(refused).toEqual(Array(200).fill("sold-out"));
    expect(await sold(id)).toBe(100);
    const owners = await Promise.all(buyers.map(has));
    expect(owners.filter(({ coins, items }) => coins === 0 && items.sword === 1)).toHaveLength(100);
    expect(owners.filter(({ coins, items }) => coins === 30 && !items.sword)).toHaveLength(200);
  }, 120_000);

  test("costs a read and a write more while there is enough of it", async () => {
    const id = await sell({ grant: sword, limits: { stock: 1_000, perUser: 10 } });
    await buy(await buyer(30), order(id));
    const ada = await buyer(30);
    const { bill } = await backend.billed(() => buy(ada, order(id)));
    expect(bill).toMatchObject({ reads: 4, writes: 6 });
  });

  test("is never oversold, whatever it is defined as meanwhile and however many are wanted at a time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ stock: fc.integer({ min: 1, max: 60 }) }),
            fc.record({ counts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }) }),
          ),
          { maxLength: 6 },
        ),
        async (steps) => {
          const id = await sell({ grant: sword, limits: { stock: 20 } });
          let stock = 20;
          let gone = 0;
          for (const step of steps) {
            if ("stock" in step) {
              stock = step.stock;
              await sell({ grant: sword, limits: { stock } }, id);
            } else {
              gone = await rush(id, step.counts, { stock, gone });
            }
          }
          expect(await sold(id)).toBe(gone);
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);
});

/** Has a product bought by many at once, so many by each; whoever is refused would have had too many. Gives how many are gone then. */
async function rush(id: string, counts: readonly number[], { stock, gone }: { stock: number; gone: number }) {
  const tries = await Promise.allSettled(
    counts.map(async (count) => persistent(await buyer(300), order(id, { count }))),
  );
  const wanted = (status: string) => counts.filter((_, i) => tries[i]?.status === status);
  const after = gone + wanted("fulfilled").reduce((sum, count) => sum + count, 0);
  expect(after).toBeLessThanOrEqual(Math.max(stock, gone));
  for (const count of wanted("rejected")) expect(after + count).toBeGreaterThan(stock);
  return after;
}

test("the books fit after all of it", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});

/** Asks again under the same key when told that too many are at it, as apps do. */
async function persistent(caller: { uid: string }, request: ReturnType<typeof order>): ReturnType<typeof buy> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return await buy(caller, request);
    } catch (error) {
      if (!(error instanceof Error && "reason" in error && error.reason === "busy")) throw error;
    }
  }
  throw new Error("too many are at it for too long");
}
