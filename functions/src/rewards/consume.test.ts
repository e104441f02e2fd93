import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { crafts, defineGame, give, has, item, somebodyWith, table, uses } from "../../testing/economy.ts";
import { currencyOf } from "../ledger/index.ts";
import { verify } from "../ledger/verify.ts";
import { now, setClock } from "../platform/clock.ts";
import { Acted, ConsumeRequest } from "./contract.ts";
import { listEntitlements } from "./entitlements.ts";
import { listInventory } from "./inventory.ts";
import { odds } from "./odds.ts";
import { lotsOf } from "./random.ts";
import { pity, rolls } from "./records.ts";
import { roll } from "./roll.ts";
import { tablesBelow } from "./tables.ts";

const backend = useBackend();
const DAY = 86_400_000;
beforeAll(defineGame);

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

describe("consuming", () => {
  test("uses an item up for what it gives, at once and whole", async () => {
    const { uid } = await somebodyWith({ items: { potion: 3 } });
    expect(await uses(uid, { item: "potion", count: 2 })).toMatchObject({ reward: { coins: { XP: 20 } } });
    expect(await has(uid)).toEqual({ XP: 20, potion: 1 });
  });

  test("can come to more than one reward says, and is answered all the same, again and again", async () => {
    await item("sack", { consume: { reward: { items: { grain: 1_000_000 }, coins: { COIN: 1 } } } });
    const { uid } = await somebodyWith({ items: { sack: 3 } });
    const key = randomUUID();
    const first = await uses(uid, { key, item: "sack", count: 3 });
    expect(Acted.parse(first)).toMatchObject({ reward: { items: { grain: 3_000_000 } } });
    expect(await uses(uid, { key, item: "sack", count: 3 })).toEqual(first);
  });

  test("draws for a full wallet, too: a refusal would let whoever is full draw until it is something else", async () => {
    const maximum = currencyOf("GEM").maximumBalance;
    await table("tails", { entries: [{ id: "gems", weight: 1, reward: { coins: { GEM: 2 } } }] });
    await item("coin_toss", { consume: { table: "tails" } });
    const { uid } = await somebodyWith({ items: { coin_toss: 1 }, coins: { GEM: maximum - 1 } });
    await uses(uid, { item: "coin_toss" });
    expect(await has(uid)).toEqual({ GEM: maximum + 1 });
    await expect(give(uid, { coins: { GEM: 1 } })).rejects.toMatchObject({ reason: "balance-too-large" });
    const report = await verify({ scope: "all" });
    expect(report.problems).toEqual([]);
  });

  test("draws nothing that could be more unique items than can be given, whatever would be drawn", async () => {
    await table("armoury", {
      draws: 2,
      entries: [
        { id: "nothing", weight: 1_000_000 },
        { id: "blades", weight: 1, reward: { items: { blade: 30 } } },
      ],
    });
    await item("crate", { consume: { table: "armoury" } });
    const { uid } = await somebodyWith({ items: { crate: 3 } });
    await expect(uses(uid, { item: "crate", count: 2 })).rejects.toMatchObject({ reason: "too-many-instances" });
    expect(await has(uid)).toEqual({ crate: 3 });
    await uses(uid, { item: "crate" });
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

test("the books fit after all of this", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
