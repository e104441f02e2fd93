import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { wallet } from "../ledger/wallet.ts";
import { now, setClock } from "../platform/clock.ts";
import { transact } from "../platform/firestore.ts";
import { type Change, prepareChanges } from "./change.ts";
import { defineItem } from "./define.ts";
import { Item } from "./definitions.ts";
import { listEntitlements } from "./entitlements.ts";
import { expireItems } from "./expire.ts";
import { listInventory } from "./inventory.ts";
import { inventory } from "./records.ts";

const backend = useBackend();
const operator = someone();
const DAY = 86_400_000;

const define = (id: string, item: Record<string, unknown>) =>
  defineItem(operator, { id, item: Item.parse({ title: id, ...item }) });

beforeAll(async () => {
  await define("sword", {
    kind: "unique",
    properties: {
      power: { min: 10, max: 20 },
      element: {
        oneOf: [
          { weight: 1, value: "fire" },
          { weight: 3, value: "ice" },
        ],
      },
      isSharp: true,
    },
  });
  await define("pass", { kind: "unique", durationSeconds: 86_400 });
  await define("ration", { durationSeconds: 86_400 });
});

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());
const later = (millis: number) => {
  const then = now() + millis;
  restoreClock();
  restoreClock = setClock(then);
};

const make = (user: string, ...changes: Partial<Change>[]) =>
  transact(async (tx) => {
    const prepared = await prepareChanges(
      tx,
      user,
      changes.map((change) => ({
        key: randomUUID(),
        kind: change.direction === "takeBack" ? "refund" : "grant",
        direction: "give",
        coins: {},
        items: {},
        reference: "test",
        ...change,
      })),
    );
    prepared.write();
    return prepared.done;
  });
const has = (uid: string) => listInventory({ uid }, { limit: 100 });

describe("a unique item", () => {
  test("is each one for itself, with properties of its own and where it comes from", async () => {
    const { uid } = someone();
    const [done] = await make(uid, { items: { sword: 3 }, reference: "purchase:p" });
    const { items, instances = [] } = await has(uid);
    expect(items).toEqual([]);
    expect(instances.map(({ instance }) => instance)).toEqual([...(done?.instances ?? [])].sort());
    expect(new Set(instances.map(({ instance }) => instance)).size).toBe(3);
    for (const { item, properties, acquiredFrom, acquiredAt } of instances) {
      expect([item, acquiredFrom]).toEqual(["sword", "purchase:p"]);
      expect(properties).toMatchObject({ isSharp: true });
      expect(["fire", "ice"]).toContain(properties.element);
      expect(properties.power).toBeGreaterThanOrEqual(10);
      expect(properties.power).toBeLessThanOrEqual(20);
      expect(Math.abs(acquiredAt - Date.now())).toBeLessThan(60_000);
    }
  });

  test("has the same id and properties whenever the same change is tried, and others by another", async () => {
    const [ada, bo] = [someone(), someone()];
    const key = randomUUID();
    await make(ada.uid, { key, items: { sword: 2 } });
    await expect(make(ada.uid, { key, items: { sword: 2 } })).rejects.toMatchObject({ code: 6 });
    expect((await has(ada.uid)).instances).toHaveLength(2);
    await make(bo.uid, { items: { sword: 2 } });
    const ids = async (uid: string) => ((await has(uid)).instances ?? []).map(({ instance }) => instance);
    expect(await ids(ada.uid)).not.toEqual(await ids(bo.uid));
  });

  test("that a purchase gave is the one that its refund takes, and comes back as it was if that is undone", async () => {
    const { uid } = someone();
    await make(uid, { items: { sword: 1 } });
    const own = (await has(uid)).instances ?? [];
    await make(uid, { key: "the purchase", items: { sword: 2 } });
    const all = (await has(uid)).instances;
    const gave = { key: "the purchase", items: { sword: 2 } };
    const [taken] = await make(uid, { direction: "takeBack", items: { sword: 2 }, gave });
    expect(taken?.missingItems).toEqual({});
    expect((await has(uid)).instances).toEqual(own);
    await make(uid, { items: { sword: 2 }, gave });
    expect((await has(uid)).instances).toEqual(all);
  });

  test("that is used up is missing when the purchase goes back, and no other is taken for it", async () => {
    const { uid } = someone();
    await make(uid, { items: { sword: 1 } });
    const [purchase] = await make(uid, { key: `purchase of ${uid}`, items: { sword: 2 } });
    await make(uid, { costs: { coins: {}, items: { sword: 1 }, instances: purchase?.instances.slice(0, 1) ?? [] } });
    const gave = { key: `purchase of ${uid}`, items: { sword: 2 } };
    const [taken] = await make(uid, { direction: "takeBack", items: { sword: 2 }, gave });
    expect(taken?.missingItems).toEqual({ sword: 1 });
    expect((await has(uid)).instances).toHaveLength(1);
  });

  test("is given a hundred times at once at most", async () => {
    const { uid } = someone();
    await expect(make(uid, { items: { sword: 101 } })).rejects.toMatchObject({ reason: "too-many-instances" });
    expect((await has(uid)).instances).toBeUndefined();
  });

  test("stays one for good, and a stack a stack", async () => {
    await expect(define("sword", { kind: "stack" })).rejects.toMatchObject({ reason: "kind-is-fixed" });
    await define("sword", {
      kind: "unique",
      title: "Sword",
      properties: { power: { min: 10, max: 20 }, element: "fire", isSharp: true },
    });
  });
});

describe("an item that expires", () => {
  test("is not shown or spent from then on, whether or not it was removed", async () => {
    const { uid } = someone();
    await make(uid, { items: { ration: 5, pass: 1 } });
    later(DAY / 2);
    await make(uid, { items: { ration: 2 } });
    expect((await has(uid)).items).toMatchObject([{ item: "ration", quantity: 7 }]);
    later(DAY / 2);
    expect(await has(uid)).toMatchObject({ items: [{ item: "ration", quantity: 2 }] });
    expect((await has(uid)).instances).toBeUndefined();
    await expect(make(uid, { costs: { coins: {}, items: { ration: 3 } } })).rejects.toMatchObject({
      reason: "not-enough-items",
      details: { item: "ration", owned: 2, needed: 3 },
    });
  });

  test("is removed by housekeeping, and what lasts stays", async () => {
    const { uid } = someone();
    await make(uid, { items: { ration: 5, pass: 1, sword: 1, bread: 1 } });
    expect(await expireItems()).toBeGreaterThanOrEqual(0);
    expect((await inventory(uid).get()).size).toBe(4);
    later(DAY);
    const shown = await has(uid);
    expect(await expireItems()).toBeGreaterThanOrEqual(2);
    const left = await inventory(uid).get();
    expect(left.docs.map(({ id }) => id.split(":")[0])).toEqual(["bread", "ration", "sword"]);
    expect((await inventory(uid).doc("ration").get()).data()).toMatchObject({ quantity: 0 });
    expect(await has(uid)).toEqual(shown);
    expect(await expireItems()).toBe(0);
  });
});

describe("an entitlement that is given for a time", () => {
  test("begins when the one before ends, and an operator's taking ends them all", async () => {
    const { uid } = someone();
    const entitlements = { entitlements: ["vip"], entitlementSeconds: 86_400 };
    const started = now();
    restoreClock = setClock(started);
    await make(uid, { entitlements });
    await make(uid, { entitlements });
    const [vip] = (await listEntitlements({ uid })).entitlements;
    expect(vip).toMatchObject({ entitlement: "vip", active: true, expiresAt: started + 2 * DAY, willRenew: false });
    await make(uid, { direction: "takeBack", entitlements: { entitlements: ["vip"] } });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ active: false }]);
  });
});

test("experience is a currency that has a history and cannot be spent or sent", async () => {
  const { uid } = someone();
  await make(uid, { coins: { XP: 250 } });
  expect((await wallet({ uid })).balances).toMatchObject([{ currency: "XP", available: 250 }]);
  await expect(make(uid, { costs: { coins: { XP: 1 }, items: {} } })).rejects.toMatchObject({
    reason: "not-spendable",
  });
  await make(uid, { direction: "takeBack", coins: { XP: 50 } });
  expect((await wallet({ uid })).balances).toMatchObject([{ currency: "XP", available: 200 }]);
});

test("giving to a plain stack reads no more than the ledger does", async () => {
  const { uid } = someone();
  await make(uid, { items: { bread: 1 } });
  const { bill } = await backend.billed(() => make(uid, { items: { bread: 1 }, coins: { COIN: 1 } }));
  expect(bill).toEqual({ reads: 1, writes: 3, deletes: 0 });
});
