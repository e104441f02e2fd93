import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Wallet } from "../../functions/src/ledger/contract.ts";
import type { Acted, Inventory, Odds } from "../../functions/src/rewards/contract.ts";
import type { Player } from "../../scripts/player.ts";
import { seed } from "../../scripts/seed.ts";
import { useBackend } from "../backend.ts";

/** What docs/economy.md tells, through the Firebase SDK, with everything behind it running. */
const { connection, newcomer } = useBackend();
let operator: Player;
let ada: Player;

beforeAll(async () => {
  [operator, ada] = await Promise.all([newcomer("Olga"), newcomer("Ada")]);
  await seed(connection, operator);
  const item = (id: string, definition: object) =>
    operator.call("admin/rewards/defineItem", { id, item: { title: id, ...definition } });
  await item("sword", { kind: "unique", properties: { power: { min: 10, max: 20 }, isSharp: true } });
  await operator.call("admin/rewards/defineTable", {
    id: "chest",
    table: {
      title: "Chest",
      draws: 2,
      entries: [
        { id: "common", weight: 9, reward: { items: { plank: 5 } } },
        { id: "rare", weight: 1, reward: { coins: { GEM: 1 } } },
      ],
    },
  });
  await item("chest", { consume: { table: "chest" } });
  await item("potion", { maximum: 3, consume: { reward: { coins: { XP: 10 } } } });
  const recipe = (id: string, definition: object) =>
    operator.call("admin/rewards/defineRecipe", { id, recipe: { title: id, ...definition } });
  await recipe("sword", {
    costs: { coins: { COIN: 100 }, items: { plank: 2 } },
    gives: { reward: { items: { sword: 1 } } },
  });
  await recipe("potion", {
    kind: "exchange",
    costs: { coins: { COIN: 5 } },
    gives: { reward: { items: { potion: 1 } } },
  });
  await operator.call("admin/rewards/grant", {
    key: randomUUID(),
    user: ada.uid,
    reward: { coins: { COIN: 120 }, items: { plank: 2, chest: 1, potion: 2 } },
    note: "to begin with",
  });
});

const key = () => randomUUID();
const balances = async () =>
  Object.fromEntries(
    (await ada.call<Wallet>("api/ledger/wallet")).balances.map((one) => [one.currency, one.available]),
  );
const refusal = (asked: Promise<unknown>) => asked.catch((error: unknown) => error);

describe("a player", () => {
  test("forges a unique item out of coins and items, once however often the app asks", async () => {
    const request = { key: key(), recipe: "sword" };
    const made = await ada.call<Acted>("api/rewards/craft", request);
    expect(await ada.call<Acted>("api/rewards/craft", request)).toEqual(made);
    const { instances } = await ada.call<Inventory>("api/rewards/inventory");
    expect(instances).toMatchObject([
      { instance: made.instances[0], item: "sword", acquiredFrom: "craft:sword", properties: { isSharp: true } },
    ]);
    expect(await balances()).toEqual({ COIN: 20 });
  });

  test("sees the odds, opens a chest and finds how it was drawn", async () => {
    const { tables } = await ada.call<Odds>("api/rewards/odds", { table: "chest" });
    expect(tables.chest?.entries.map(({ chance }) => chance)).toEqual([0.9, 0.1]);
    const opened = await ada.call<Acted>("api/rewards/consume", { key: key(), item: "chest" });
    expect(opened.roll).toBe(opened.transaction);
    const { coins, items } = opened.reward;
    expect((items.plank ?? 0) / 5 + (coins.GEM ?? 0)).toBe(2);
  });

  test("exchanges coins for items until there is no room, and is told so", async () => {
    await ada.call("api/rewards/exchange", { key: key(), exchange: "potion" });
    expect(await refusal(ada.call("api/rewards/exchange", { key: key(), exchange: "potion" }))).toMatchObject({
      code: "functions/failed-precondition",
      details: { reason: "inventory-full", item: "potion", owned: 3, maximum: 3 },
    });
    await ada.call("api/rewards/consume", { key: key(), item: "potion", count: 3 });
    expect(await balances()).toMatchObject({ COIN: 15, XP: 30 });
  });

  test("cannot give themselves anything", async () => {
    const reward = { coins: { COIN: 1 } };
    const asked = ada.call("admin/rewards/grant", { key: key(), user: ada.uid, reward, note: "please" });
    expect(await refusal(asked)).toMatchObject({ details: { reason: "not-an-admin" } });
  });
});
