import { randomUUID } from "node:crypto";
import { wallet } from "../src/ledger/wallet.ts";
import { consume } from "../src/rewards/consume.ts";
import { ConsumeRequest, CraftRequest } from "../src/rewards/contract.ts";
import { craft, exchange } from "../src/rewards/craft.ts";
import { defineItem, defineRecipe, defineTable } from "../src/rewards/define.ts";
import { Item, Recipe, Table } from "../src/rewards/definitions.ts";
import { listInventory } from "../src/rewards/inventory.ts";
import { grantByHand } from "../src/rewards/operate.ts";
import { Reward } from "../src/rewards/reward.ts";
import { someone } from "./backend.ts";

/** For tests: a small economy, and players in it. */

export const operator = someone();

export const item = (id: string, rest: object) =>
  defineItem(operator, { id, item: Item.parse({ title: id, ...rest }) });
export const table = (id: string, rest: object) =>
  defineTable(operator, { id, table: Table.parse({ title: id, ...rest }) });
export const recipe = (id: string, rest: object) =>
  defineRecipe(operator, { id, recipe: Recipe.parse({ title: id, ...rest }) });

/** Items, tables and recipes that the tests play with. */
export async function defineGame(): Promise<void> {
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
}

export const give = (user: string, reward: object, key: string = randomUUID()) =>
  grantByHand(operator, { key, user, reward: Reward.parse(reward), note: "for a test" });
export const somebodyWith = async (reward: object) => {
  const user = someone();
  await give(user.uid, reward);
  return user;
};
export const uses = (uid: string, request: object) =>
  consume({ uid }, ConsumeRequest.parse({ key: randomUUID(), ...request }));
export const crafts = (uid: string, request: object) =>
  craft({ uid }, CraftRequest.parse({ key: randomUUID(), ...request }));
export const exchanges = (uid: string, of: string, count = 1) =>
  exchange({ uid }, { key: randomUUID(), exchange: of, count, instances: [] });

export const has = async (uid: string) => {
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
