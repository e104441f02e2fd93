import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { forgetAll } from "../../platform/cache.ts";
import { now, setClock } from "../../platform/clock.ts";
import { parseInput } from "../../platform/endpoint.ts";
import { transact } from "../../platform/firestore.ts";
import { defineProduct } from "../catalog.ts";
import { DefineProduct } from "../contract.ts";
import { grant } from "../grant.ts";
import { HotRequest, PurchasesRequest } from "./contract.ts";
import { countHot, hot } from "./hot.ts";
import { products } from "./products.ts";
import { listPurchases } from "./purchases.ts";

const backend = useBackend();

const DAY = 86_400_000;

async function sell(id: string, more: object = {}): Promise<string> {
  const product = { title: id, grant: { items: { hat: 1 } }, prices: { COIN: 5 }, ...more };
  await defineProduct({ uid: "olga" }, DefineProduct.parse({ id, product }));
  return id;
}
async function bought(user: string, product: string, daysAgo = 0): Promise<void> {
  const fact = {
    user,
    product,
    store: "APP_STORE",
    environment: "PRODUCTION",
    transaction: randomUUID(),
    purchasedAt: now() - daysAgo * DAY,
    expiresAt: null,
    isFree: false,
    price: { amount: 99, currency: "USD" },
  } as const;
  const what = { title: "x", grant: { coins: {}, items: {}, entitlements: [] }, grantDuringTrial: false };
  await transact((tx) => grant(tx, fact, { product: what, via: "webhook" }));
}

describe("the shelf", () => {
  test("shows what is on sale now, over pages, and asks the catalog once for everybody", async () => {
    const names = Array.from({ length: 130 }, (_, i) => `shelf-${String(i).padStart(3, "0")}`);
    await Promise.all(names.map((name) => sell(name)));
    await sell("shelf-001", { offer: { from: now() + 60_000 } });
    await sell("shelf-002", { offer: { until: now() } });
    await sell("shelf-003", { prices: {} });
    forgetAll();
    const first = await products(someone(), {});
    expect(first.products.map(({ product }) => product).slice(0, 2)).toEqual(["shelf-000", "shelf-004"]);
    const second = await products(someone(), { cursor: first.nextCursor });
    expect([first.products.length + second.products.length, second.nextCursor]).toEqual([127, undefined]);
    const { bill } = await backend.billed(() => products(someone(), {}));
    expect(bill).toMatchObject({ reads: 0 });
    const unset = setClock(now() + 60_000);
    expect((await products(someone(), {})).products.map(({ product }) => product)).toContain("shelf-001");
    unset();
  });
});

describe("what is hot", () => {
  test("is what was bought most in seven days and is still on sale", async () => {
    const [most, less, old, gone] = await Promise.all(["hot-a", "hot-b", "hot-c", "hot-d"].map((id) => sell(id)));
    for (const [product, times, daysAgo] of [
      [most, 3, 6],
      [less, 2, 1],
      [old, 4, 8],
      [gone, 5, 1],
    ] as const) {
      for (let i = 0; i < times; i++) await bought("ada", String(product), daysAgo);
    }
    forgetAll();
    await countHot();
    await sell("hot-d", { prices: {} });
    forgetAll();
    const shown = await hot(someone(), parseInput(HotRequest, {}));
    expect(shown.products.map(({ product, bought: times }) => [product, times])).toEqual([
      ["hot-a", 3],
      ["hot-b", 2],
    ]);
    const { bill } = await backend.billed(() => hot(someone(), { limit: 1 }));
    expect(bill).toMatchObject({ reads: 0 });
  });
});

describe("the history of purchases", () => {
  test("has those of all stores, newest first, over pages, and only the caller's", async () => {
    const [ada, bo] = [someone(), someone()];
    for (let day = 0; day < 5; day++) await bought(ada.uid, `day-${day}`, day);
    await bought(bo.uid, "other");
    const { result: first, bill } = await backend.billed(() => listPurchases(ada, { limit: 3 }));
    expect(bill).toMatchObject({ reads: 3, writes: 0 });
    const second = await listPurchases(ada, { limit: 3, cursor: first.nextCursor });
    expect([...first.purchases, ...second.purchases].map(({ product }) => product)).toEqual([
      "day-0",
      "day-1",
      "day-2",
      "day-3",
      "day-4",
    ]);
    expect(second.nextCursor).toBeUndefined();
  });

  test("takes only cursors of its own", async () => {
    await expect(listPurchases(someone(), parseInput(PurchasesRequest, { cursor: "1.2.a/b" }))).rejects.toMatchObject({
      reason: "invalid-input",
    });
  });
});
