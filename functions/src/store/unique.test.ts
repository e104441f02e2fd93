import { beforeAll, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { transact } from "../platform/firestore.ts";
import { defineItem } from "../rewards/define.ts";
import { Item } from "../rewards/definitions.ts";
import { listInventory } from "../rewards/inventory.ts";
import { grant } from "./grant.ts";
import { hear } from "./hear.ts";
import { type PurchaseFact, purchaseId, WHOLE } from "./purchase.ts";

/** Purchases of unique items. */
useBackend();

const PRODUCT = {
  title: "Blades",
  grant: { coins: {}, items: { blade: 3 }, entitlements: [] },
  grantDuringTrial: false,
};

beforeAll(async () => {
  const item = Item.parse({ title: "Blade", kind: "unique", properties: { power: { min: 1, max: 1_000_000 } } });
  await defineItem(someone(), { id: "blade", item });
});

const buy = async (uid: string, transaction: string) => {
  const fact: PurchaseFact = {
    user: uid,
    product: "blades",
    store: "STRIPE",
    environment: "PRODUCTION",
    transaction: `${transaction} ${uid}`,
    purchasedAt: 1,
    expiresAt: null,
    isFree: false,
    price: undefined,
  };
  await transact((tx) => grant(tx, fact, { product: PRODUCT, via: "webhook" }));
  return purchaseId(fact);
};
const refund = (id: string, at: number, share: { amount: number; of: number }) =>
  transact((tx) => hear(tx, id, { kind: "refunded", at, by: "refund", ...share }));
const blades = async (uid: string) => (await listInventory({ uid }, { limit: 10 })).instances ?? [];

test("a refund takes the very items that the purchase gave, part by part, and undone it brings them back", async () => {
  const { uid } = someone();
  const kept = await buy(uid, "first");
  const others = await blades(uid);
  const id = await buy(uid, "second");
  const all = await blades(uid);
  const ofSecond = all.filter(({ acquiredFrom }) => acquiredFrom === `purchase:${id}`);
  expect(others.every(({ acquiredFrom }) => acquiredFrom === `purchase:${kept}`)).toBe(true);
  expect([others.length, ofSecond.length]).toEqual([3, 3]);

  await refund(id, 1, { amount: 1, of: 3 });
  expect(await blades(uid)).toHaveLength(5);
  await refund(id, 2, { ...WHOLE });
  expect(await blades(uid)).toEqual(others);
  await refund(id, 3, { amount: 0, of: 1 });
  expect(await blades(uid)).toEqual(all);
});
