import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { crafts, defineGame, exchanges, give, has, recipe, somebodyWith } from "../../testing/economy.ts";
import { verify } from "../ledger/verify.ts";
import { now, setClock } from "../platform/clock.ts";
import { listInventory } from "./inventory.ts";

const backend = useBackend();
const DAY = 86_400_000;
beforeAll(defineGame);

let restoreClock: () => void = () => undefined;
afterEach(() => restoreClock());

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

test("the books fit after all of this", async () => {
  expect((await verify({ scope: "all" })).problems).toEqual([]);
});
