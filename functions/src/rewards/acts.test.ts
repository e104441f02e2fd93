import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing.ts";
import { transactions } from "../ledger/records.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { now, setClock } from "../platform/clock.ts";
import { consume } from "./consume.ts";
import { ConsumeRequest, CraftRequest } from "./contract.ts";
import { craft, exchange } from "./craft.ts";
import { defineItem, defineRecipe, defineTable } from "./define.ts";
import { Item, Recipe, Table } from "./definitions.ts";
import { listEntitlements } from "./entitlements.ts";
import { listInventory } from "./inventory.ts";
import { odds } from "./odds.ts";
import { grantByHand, takeByHand } from "./operate.ts";
import { lotsOf } from "./random.ts";
import { pity, rolls } from "./records.ts";
import { Reward } from "./reward.ts";
import { roll } from "./roll.ts";
import { tablesBelow } from "./tables.ts";

const backend = useBackend();
const operator = someone();
const DAY = 86_400_000;

const item = (id: string, rest: object) => defineItem(operator, { id, item: Item.parse({ title: id, ...rest }) });
const table = (id: string, rest: object) => defineTable(operator, { id, table: Table.parse({ title: id, ...rest }) });
const recipe = (id: string, rest: object) =>
  defineRecipe(operator, { id, recipe: Recipe.parse({ title: id, ...rest }) });

beforeAll(async () => {
  await table("gems", { entries: [{ id: "gem", weight: 1, reward: { coins: { GEM: 1 } } }] });
  await table("chest", {
    entries: [
      { id: "common", weight: 90, reward: { items: { wood: 1 } } },
      { id: "rare", weight: 9, reward: { items: { blade: 1 } } },
      { id: "epic", weight: 1, table: "gems" },
    ],
    pity: { entries: ["rare", "epic"], after: 4 },
  });
  await item("potion", { consume: { reward: { coins: { XP: 10 } } } });
  await item("chest_key", { consume: { table: "chest" } });
  await item("vip_week", { consume: { reward: { entitlements: ["vip"], entitlementSeconds: 7 * 86_400 } } });
  await item("wood", { maximum: 20 });
  await item("blade", { kind: "unique", maximum: 2, consume: { reward: { coins: { COIN: 5 } } } });
  await recipe("blade", {
    costs: { coins: { COIN: 10 }, items: { wood: 2 } },
    gives: { reward: { items: { blade: 1 } } },
  });
  await recipe("planks", { costs: { items: { wood: 1 } }, gives: { reward: { items: { plank: 4 } } } });
  await recipe("forge", { costs: { items: { blade: 2 } }, gives: { reward: { items: { great_blade: 1 } } } });
  await recipe("daily", {
    costs: { coins: { COIN: 1 } },
    gives: { reward: { items: { plank: 1 } } },
    limits: { perUser: 5, perDay: 3 },
  });
  await recipe("gem_for_coins", {
    kind: "exchange",
    costs: { coins: { COIN: 100 } },
    gives: { reward: { coins: { GEM: 1 } } },
    maximumCount: 10,
  });
  await recipe("wood_for_coins", {
    kind: "exchange",
    costs: { coins: { COIN: 1 } },
    gives: { reward: { items: { wood: 1 } } },
  });
});

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

const give = (user: string, reward: object, key: string = randomUUID()) =>
  grantByHand(operator, { key, user, reward: Reward.parse(reward), note: "for a test" });
const somebodyWith = async (reward: object) => {
  const user = someone();
  await give(user.uid, reward);
  return user;
};
const uses = (uid: string, request: object) =>
  consume({ uid }, ConsumeRequest.parse({ key: randomUUID(), ...request }));
const crafts = (uid: string, request: object) => craft({ uid }, CraftRequest.parse({ key: randomUUID(), ...request }));
const exchanges = (uid: string, of: string, count = 1) =>
  exchange({ uid }, { key: randomUUID(), exchange: of, count, instances: [] });

const has = async (uid: string) => {
  const [{ balances }, { items, instances = [] }] = await Promise.all([
    wallet({ uid }),
    listInventory({ uid }, { limit: 100 }),
  ]);
  const coins = balances.filter(({ total, owed }) => total !== owed);
  return {
    ...Object.fromEntries(coins.map(({ currency, total, owed }) => [currency, total - owed])),
    ...Object.fromEntries(items.map((one) => [one.item, one.quantity])),
    ...(instances.length > 0 ? { instances: instances.map((one) => one.item) } : {}),
  };
};

describe("consuming", () => {
  test("uses an item up for what it gives, at once and whole", async () => {
    const { uid } = await somebodyWith({ items: { potion: 3 } });
    expect(await uses(uid, { item: "potion", count: 2 })).toMatchObject({ reward: { coins: { XP: 20 } } });
    expect(await has(uid)).toEqual({ XP: 20, potion: 1 });
  });

  test("happens once under a key, however often and however many at once ask for it", async () => {
    const { uid } = await somebodyWith({ items: { potion: 9 } });
    const key = randomUUID();
    const first = await uses(uid, { key, item: "potion" });
    const again = await Promise.all(Array.from({ length: 4 }, () => uses(uid, { key, item: "potion" })));
    for (const one of again) expect(one).toEqual(first);
    const other = randomUUID();
    const both = await Promise.all(Array.from({ length: 4 }, () => uses(uid, { key: other, item: "potion" })));
    expect(new Set(both.map(({ transaction }) => transaction)).size).toBe(1);
    expect(await has(uid)).toEqual({ XP: 20, potion: 7 });
  });

  test("refuses a key that was used for something else, and takes the same key from somebody else", async () => {
    const [ada, bo] = await Promise.all([
      somebodyWith({ items: { potion: 9, wood: 1 } }),
      somebodyWith({ items: { potion: 1 } }),
    ]);
    const key = randomUUID();
    await uses(ada.uid, { key, item: "potion" });
    await expect(uses(ada.uid, { key, item: "potion", count: 2 })).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    await expect(crafts(ada.uid, { key, recipe: "planks" })).rejects.toMatchObject({
      reason: "idempotency-key-reused",
    });
    await uses(bo.uid, { key, item: "potion" });
    expect(await has(bo.uid)).toEqual({ XP: 10 });
  });

  test.each([
    ["unknown-item", { item: "nothing" }],
    ["not-consumable", { item: "wood" }],
    ["not-enough-items", { item: "potion", count: 4 }],
    ["invalid-input", { item: "blade" }],
    ["not-enough-items", { instance: "blade:of-nobody" }],
    ["invalid-input", { instance: "potion" }],
  ])("is refused with %s for %j, and nothing has changed", async (reason, request) => {
    const { uid } = await somebodyWith({ items: { potion: 3, wood: 1 } });
    await expect(uses(uid, request)).rejects.toMatchObject({ reason });
    expect(await has(uid)).toEqual({ potion: 3, wood: 1 });
  });

  test("of a unique item uses up just that one, and nobody else's", async () => {
    const [ada, bo] = [someone(), someone()];
    const { instances } = await give(ada.uid, { items: { blade: 2 } });
    const [first = ""] = instances;
    await expect(uses(bo.uid, { instance: first })).rejects.toMatchObject({ reason: "not-enough-items" });
    await uses(ada.uid, { instance: first });
    await expect(uses(ada.uid, { instance: first })).rejects.toMatchObject({ reason: "not-enough-items" });
    expect(await has(ada.uid)).toEqual({ COIN: 5, instances: ["blade"] });
    expect((await listInventory(ada, { limit: 9 })).instances?.map(({ instance }) => instance)).toEqual([instances[1]]);
  });

  test("of a pass opens an entitlement for as long as it says, and of two for twice as long", async () => {
    const { uid } = await somebodyWith({ items: { vip_week: 2 } });
    const at = now();
    restoreClock = setClock(at);
    await uses(uid, { item: "vip_week", count: 2 });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([
      { entitlement: "vip", active: true, expiresAt: at + 14 * DAY },
    ]);
  });

  test("of one item for one currency costs 3 reads and 3 writes, and again 1 read", async () => {
    const { uid } = await somebodyWith({ items: { potion: 9 } });
    await uses(uid, { item: "potion" });
    const request = { key: randomUUID(), item: "potion" };
    expect((await backend.billed(() => uses(uid, request))).bill).toEqual({ reads: 3, writes: 3, deletes: 0 });
    expect((await backend.billed(() => uses(uid, request))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
  });

  test("takes an item or an instance, never both or neither", () => {
    for (const wrong of [{}, { item: "a", instance: "b" }, { instance: "b", count: 2 }]) {
      expect(ConsumeRequest.safeParse({ key: "k", ...wrong }).success).toBe(false);
    }
  });
});

describe("a chest", () => {
  test("draws what can be drawn again from what is recorded of it", async () => {
    const { uid } = await somebodyWith({ items: { chest_key: 8 } });
    const { roll: id = "", reward, transaction } = await uses(uid, { item: "chest_key", count: 8 });
    const record = (await rolls().doc(id).get()).data();
    expect(record).toMatchObject({ user: uid, table: "chest", times: 8, misses: 0, reward });
    expect(id).toBe(transaction);
    const { seed = "", misses = 0, draws } = record ?? {};
    const again = roll(await tablesBelow("chest"), { table: "chest", times: 8, seed, misses });
    expect(again.reward).toEqual(reward);
    expect(again.draws).toEqual(draws);
    const lots = lotsOf(seed);
    for (const { lot, below } of draws ?? []) expect(lots(below)).toBe(lot);
    expect(draws?.some(({ entry }) => entry !== "common")).toBe(true);
  });

  test("remembers bad luck from one opening to the next, so that it never lasts longer than promised", async () => {
    const { uid } = await somebodyWith({ items: { chest_key: 12 } });
    let missed = 0;
    for (let n = 0; n < 12; n++) {
      const { roll: id = "" } = await uses(uid, { item: "chest_key" });
      const [draw] = (await rolls().doc(id).get()).data()?.draws ?? [];
      missed = draw?.entry === "common" ? missed + 1 : 0;
      expect(missed).toBeLessThanOrEqual(4);
      expect((await pity(uid).doc("chest").get()).data()).toMatchObject({ misses: missed });
    }
  });

  test("is given even where the inventory is full, so that a refusal does not tell what would have come", async () => {
    const { uid } = await somebodyWith({ items: { chest_key: 5, wood: 20, blade: 2 } });
    await uses(uid, { item: "chest_key", count: 5 });
    const after: Record<string, unknown> = await has(uid);
    expect(Number(after.wood) + (after.instances as string[]).length + Number(after.GEM ?? 0)).toBe(27);
  });

  test("costs, besides what it gives, a write for the roll and a read and a write for the pity", async () => {
    const { uid } = await somebodyWith({ items: { chest_key: 9, wood: 1 } });
    await uses(uid, { item: "chest_key" });
    const { result, bill } = await backend.billed(() => uses(uid, { item: "chest_key" }));
    const { coins, items } = result.reward;
    const given = { reads: Object.keys(coins).length, writes: Object.keys({ ...coins, ...items }).length };
    expect(bill).toEqual({ reads: 3 + given.reads, writes: 4 + given.writes, deletes: 0 });
  });

  test("has odds that add up, with those of the tables below it", async () => {
    const { tables } = await odds(someone(), { table: "chest" });
    const { chest, gems } = tables;
    expect(chest?.entries.map(({ id, chance }) => [id, chance])).toEqual([
      ["common", 0.9],
      ["rare", 0.09],
      ["epic", 0.01],
    ]);
    expect(chest?.pity).toEqual({ entries: ["rare", "epic"], after: 4 });
    expect(gems?.entries).toMatchObject([{ chance: 1, reward: { coins: { GEM: 1 } } }]);
    await expect(odds(someone(), { table: "nothing" })).rejects.toMatchObject({ reason: "unknown-table" });
  });
});

describe("crafting", () => {
  test("takes coins and items and gives what the recipe says, a number of times", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 25 }, items: { wood: 5 } });
    const { instances } = await crafts(uid, { recipe: "blade", count: 2 });
    expect(instances).toHaveLength(2);
    expect(await has(uid)).toEqual({ COIN: 5, wood: 1, instances: ["blade", "blade"] });
  });

  test("out of unique items takes those that were named", async () => {
    const { uid } = someone();
    const { instances } = await give(uid, { items: { blade: 3 } });
    await crafts(uid, { recipe: "forge", instances: instances.slice(1) });
    expect((await listInventory({ uid }, { limit: 9 })).instances?.map(({ instance }) => instance)).toEqual([
      instances[0],
    ]);
    expect(await has(uid)).toEqual({ great_blade: 1, instances: ["blade"] });
  });

  test.each([
    ["unknown-recipe", { recipe: "nothing" }],
    ["unknown-recipe", { recipe: "gem_for_coins" }],
    ["insufficient-funds", { recipe: "blade" }],
    ["not-enough-items", { recipe: "planks", count: 5 }],
    ["not-enough-items", { recipe: "forge" }],
    ["invalid-input", { recipe: "planks", instances: ["blade:x"] }],
    ["invalid-input", { recipe: "planks", count: 101 }],
  ])("is refused with %s for %j, and nothing has changed", async (reason, request) => {
    const { uid } = await somebodyWith({ coins: { COIN: 9 }, items: { wood: 4 } });
    await expect(crafts(uid, request)).rejects.toMatchObject({ reason });
    expect(await has(uid)).toEqual({ COIN: 9, wood: 4 });
  });

  test("does not count one unique item twice", async () => {
    const { uid } = someone();
    const { instances } = await give(uid, { items: { blade: 2 } });
    const [one = ""] = instances;
    await expect(crafts(uid, { recipe: "forge", instances: [one, one] })).rejects.toMatchObject({
      reason: "not-enough-items",
    });
    expect(await has(uid)).toEqual({ instances: ["blade", "blade"] });
  });

  test("stops where a user may not have more of what it gives, which a gift does not", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 100 }, items: { wood: 9, blade: 1 } });
    await crafts(uid, { recipe: "blade" });
    await expect(crafts(uid, { recipe: "blade" })).rejects.toMatchObject({
      reason: "inventory-full",
      details: { item: "blade", owned: 2, maximum: 2 },
    });
    await give(uid, { items: { blade: 1 } });
    expect(await has(uid)).toEqual({ COIN: 90, wood: 7, instances: ["blade", "blade", "blade"] });
  });

  test("stops at the limits of a recipe, of which one begins anew each day", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 100 } });
    const today = Date.UTC(2031, 0, 31, 12);
    restoreClock = setClock(today);
    await crafts(uid, { recipe: "daily", count: 3 });
    await expect(crafts(uid, { recipe: "daily" })).rejects.toMatchObject({
      reason: "limit-reached",
      details: { remaining: 0, limit: 3 },
    });
    restoreClock();
    restoreClock = setClock(today + DAY);
    await expect(crafts(uid, { recipe: "daily", count: 3 })).rejects.toMatchObject({
      details: { remaining: 2, limit: 5 },
    });
    await crafts(uid, { recipe: "daily", count: 2 });
    expect(await has(uid)).toEqual({ COIN: 95, plank: 5 });
  });

  test("is for the time of the offer", async () => {
    const soon = now() + DAY;
    await recipe("seasonal", {
      costs: { coins: { COIN: 1 } },
      gives: { reward: { items: { plank: 1 } } },
      offer: { from: soon, until: soon + DAY },
    });
    const { uid } = await somebodyWith({ coins: { COIN: 2 } });
    const at = async (time: number) => {
      restoreClock();
      restoreClock = setClock(time);
      return await crafts(uid, { recipe: "seasonal" }).then(
        () => "made",
        ({ reason }: { reason: string }) => reason,
      );
    };
    expect([await at(soon - 1), await at(soon), await at(soon + DAY)]).toEqual(["not-offered", "made", "not-offered"]);
  });

  test("of an item out of a currency and an item costs 3 reads and 4 writes, with limits one more of each", async () => {
    await recipe("shelf", {
      costs: { coins: { COIN: 1 }, items: { wood: 1 } },
      gives: { reward: { items: { shelf: 1 } } },
    });
    const { uid } = await somebodyWith({ coins: { COIN: 9 }, items: { wood: 9 } });
    for (const name of ["shelf", "daily"]) await crafts(uid, { recipe: name });
    const { bill } = await backend.billed(() => crafts(uid, { recipe: "shelf" }));
    expect(bill).toEqual({ reads: 3, writes: 4, deletes: 0 });
    const limited = await backend.billed(() => crafts(uid, { recipe: "daily" }));
    expect(limited.bill).toEqual({ reads: 3, writes: 4, deletes: 0 });
  });
});

describe("an exchange", () => {
  test("gives one currency for another at the operators' rate", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 350 } });
    await exchanges(uid, "gem_for_coins", 3);
    expect(await has(uid)).toEqual({ COIN: 50, GEM: 3 });
    await expect(exchanges(uid, "gem_for_coins")).rejects.toMatchObject({ reason: "insufficient-funds" });
    await expect(exchanges(uid, "gem_for_coins", 11)).rejects.toMatchObject({ details: { field: "count" } });
    await expect(exchanges(uid, "planks")).rejects.toMatchObject({ reason: "unknown-recipe" });
  });

  test("never goes past what there is, however many come at once", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 250 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => exchanges(uid, "gem_for_coins")));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    expect(await has(uid)).toEqual({ COIN: 50, GEM: 2 });
  });

  test("gives no more of an item than a user may have", async () => {
    const { uid } = await somebodyWith({ coins: { COIN: 50 }, items: { wood: 18 } });
    await expect(exchanges(uid, "wood_for_coins", 3)).rejects.toMatchObject({ reason: "inventory-full" });
    await exchanges(uid, "wood_for_coins", 2);
    expect(await has(uid)).toEqual({ COIN: 48, wood: 20 });
  });
});

describe("an operator", () => {
  test("gives once under a key and takes what is there; the rest is owed or missing", async () => {
    const { uid } = someone();
    const key = randomUUID();
    const first = await give(uid, { coins: { COIN: 30 }, items: { plank: 3, blade: 2 }, entitlements: ["vip"] }, key);
    expect(await give(uid, { coins: { COIN: 30 }, items: { plank: 3, blade: 2 }, entitlements: ["vip"] }, key)).toEqual(
      first,
    );
    await expect(give(uid, { coins: { COIN: 31 } }, key)).rejects.toMatchObject({ reason: "idempotency-key-reused" });
    const request = {
      key: randomUUID(),
      user: uid,
      taken: { coins: { COIN: 50 }, items: { plank: 5, blade: 1 }, entitlements: ["vip"] },
      note: "given by mistake",
    };
    const taken = await takeByHand(operator, request);
    expect(taken.missingItems).toEqual({ plank: 2 });
    expect(await takeByHand(operator, request)).toEqual(taken);
    expect(await has(uid)).toEqual({ COIN: -20, instances: ["blade"] });
    expect((await listEntitlements({ uid })).entitlements).toMatchObject([{ entitlement: "vip", active: false }]);
    const record = (await transactions().doc(taken.transaction).get()).data();
    expect(record).toMatchObject({
      kind: "adjustment",
      reference: "given by mistake",
      metadata: { operator: operator.uid },
    });
  });

  test.each([
    ["unknown-table", () => item("bad", { consume: { table: "nothing" } })],
    ["unknown-currency", () => item("bad", { consume: { reward: { coins: { DOUBLOON: 1 } } } })],
    ["unknown-table", () => table("bad", { entries: [{ id: "a", weight: 1, table: "nothing" }] })],
    ["table-too-large", () => table("bad", { entries: [{ id: "a", weight: 1, table: "bad" }] })],
    ["invalid-input", () => table("bad", { entries: [{ id: "a", weight: 1, reward: { coins: { USD: 1 } } }] })],
    ["invalid-input", () => recipe("bad", { costs: { coins: { USD: 1 } }, gives: { table: "chest" } })],
    ["invalid-input", () => recipe("bad", { costs: { coins: { XP: 1 } }, gives: { table: "chest" } })],
  ])("cannot define what could not be carried out: %s", async (reason, define) => {
    await expect(define()).rejects.toMatchObject({ reason });
  });

  test("cannot make tables deeper than three, or so that they draw without an end", async () => {
    await table("d3", { draws: 20, entries: [{ id: "a", weight: 1 }] });
    await table("d2", { draws: 20, entries: [{ id: "a", weight: 1, table: "d3" }] });
    await expect(table("d1", { draws: 20, entries: [{ id: "a", weight: 1, table: "d2" }] })).rejects.toMatchObject({
      reason: "table-too-large",
    });
    await table("d1", { draws: 1, entries: [{ id: "a", weight: 1, table: "d2" }] });
    await expect(table("d0", { entries: [{ id: "a", weight: 1, table: "d1" }] })).rejects.toMatchObject({
      reason: "table-too-large",
    });
  });

  test.each([
    { title: "x", entries: [] },
    { title: "x", entries: [{ id: "a", weight: 0 }] },
    {
      title: "x",
      entries: [
        { id: "a", weight: 1 },
        { id: "a", weight: 1 },
      ],
    },
    { title: "x", entries: [{ id: "a", weight: 1 }], draws: 2, replacement: false },
    { title: "x", entries: [{ id: "a", weight: 1 }], pity: { entries: ["b"], after: 1 } },
  ])("cannot define a table that makes no sense: %j", (wrong) => {
    expect(Table.safeParse(wrong).success).toBe(false);
  });
});

test("the books fit after all of this", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
  expect((await transactions().count().get()).data().count).toBeGreaterThan(50);
});
