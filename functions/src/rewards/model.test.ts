import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { verify } from "../ledger/verify.ts";
import { wallet } from "../ledger/wallet.ts";
import { isAlreadyExists, transact } from "../platform/firestore.ts";
import { type Change, prepareChanges } from "./change.ts";
import { consume } from "./consume.ts";
import { craft, exchange } from "./craft.ts";
import { defineItem, defineRecipe } from "./define.ts";
import { Item, Recipe } from "./definitions.ts";
import { listInventory } from "./inventory.ts";
import { grantByHand, takeByHand } from "./operate.ts";

/**
 * Whatever is granted, bought, taken back, consumed, crafted and exchanged, in whatever order and however often it is asked for: a user has
 * what a few lines of plain arithmetic say, and the books fit.
 */
useBackend();
const operator = someone();
const MAX_WOOD = 30;

beforeAll(async () => {
  const item = (id: string, rest: object) => defineItem(operator, { id, item: Item.parse({ title: id, ...rest }) });
  const recipe = (id: string, rest: object) =>
    defineRecipe(operator, { id, recipe: Recipe.parse({ title: id, ...rest }) });
  await item("wood", { maximum: MAX_WOOD, consume: { reward: { coins: { COIN: 3 } } } });
  await item("blade", { kind: "unique", consume: { reward: { coins: { COIN: 7 } } } });
  await recipe("blade", {
    costs: { coins: { COIN: 10 }, items: { wood: 2 } },
    gives: { reward: { items: { blade: 1 } } },
  });
  await recipe("wood", { kind: "exchange", costs: { coins: { COIN: 2 } }, gives: { reward: { items: { wood: 1 } } } });
});

/** What a user should have. Coins that are owed are below nothing. */
class Model {
  coins = 0;
  wood = 0;
  blades: string[] = [];
  /** Each with the unique items that it gave, and those of them that went back. */
  purchases: { key: string; blades: string[]; taken: string[] }[] = [];
}

/** Something that happens, and what becomes of it: what was made, or the reason for which it was refused. */
interface Step {
  readonly what: string;
  run(uid: string, model: Model): { ask(): Promise<{ instances?: readonly string[] }>; expected: Expected };
}
type Expected = string | ((done: { instances?: readonly string[] }) => void);

const amount = fc.integer({ min: 1, max: 12 });
const few = fc.integer({ min: 0, max: 3 });
const rewardOf = (coins: number, wood: number, blades: number) => ({
  coins: coins > 0 ? { COIN: coins } : {},
  items: { ...(wood > 0 ? { wood } : {}), ...(blades > 0 ? { blade: blades } : {}) },
  entitlements: [],
});

const grants = fc.tuple(few, amount, few).map(
  ([coins, wood, blades]): Step => ({
    what: `grant ${coins} ${wood} ${blades}`,
    run: (uid, model) => {
      const request = { key: randomUUID(), user: uid, reward: rewardOf(coins * 10, wood, blades), note: "test" };
      return {
        ask: () => grantByHand(operator, request),
        expected: ({ instances = [] }) => {
          model.coins += coins * 10;
          model.wood += wood;
          model.blades.push(...instances);
        },
      };
    },
  }),
);

const takes = fc.tuple(amount, few).map(
  ([coins, wood]): Step => ({
    what: `take ${coins} ${wood}`,
    run: (uid, model) => ({
      ask: ((request) => async () => {
        const { missingItems } = await takeByHand(operator, request);
        return { instances: [], missingItems };
      })({ key: randomUUID(), user: uid, taken: rewardOf(coins, wood, 0), note: "test" }),
      expected: () => {
        model.coins -= coins;
        model.wood = Math.max(0, model.wood - wood);
      },
    }),
  }),
);

const consumes = amount.map(
  (count): Step => ({
    what: `consume ${count} wood`,
    run: (uid, model) => {
      const request = { key: randomUUID(), item: "wood", count };
      const after = () => {
        model.wood -= count;
        model.coins += 3 * count;
      };
      return { ask: () => consume({ uid }, request), expected: model.wood < count ? "not-enough-items" : after };
    },
  }),
);

const consumesBlade = few.map(
  (which): Step => ({
    what: `consume blade ${which}`,
    run: (uid, model) => {
      const instance = model.blades[which % Math.max(1, model.blades.length)] ?? "blade:nobody's";
      const request = { key: randomUUID(), instance, count: 1 };
      const after = () => {
        model.blades = model.blades.filter((id) => id !== instance);
        model.coins += 7;
      };
      return {
        ask: () => consume({ uid }, request),
        expected: model.blades.includes(instance) ? after : "not-enough-items",
      };
    },
  }),
);

const crafts = fc.integer({ min: 1, max: 3 }).map(
  (count): Step => ({
    what: `craft ${count}`,
    run: (uid, model) => {
      const request = { key: randomUUID(), recipe: "blade", count, instances: [] };
      const refusal =
        model.wood < 2 * count ? "not-enough-items" : model.coins < 10 * count ? "insufficient-funds" : undefined;
      return {
        ask: () => craft({ uid }, request),
        expected:
          refusal ??
          (({ instances = [] }) => {
            model.wood -= 2 * count;
            model.coins -= 10 * count;
            model.blades.push(...instances);
          }),
      };
    },
  }),
);

const exchanges = amount.map(
  (count): Step => ({
    what: `exchange ${count}`,
    run: (uid, model) => {
      const request = { key: randomUUID(), exchange: "wood", count, instances: [] };
      const refusal =
        model.wood + count > MAX_WOOD ? "inventory-full" : model.coins < 2 * count ? "insufficient-funds" : undefined;
      const after = () => {
        model.wood += count;
        model.coins -= 2 * count;
      };
      return { ask: () => exchange({ uid }, request), expected: refusal ?? after };
    },
  }),
);

/** One change, made once: who asks again is told that it was made. */
async function make(uid: string, change: Pick<Change, "key" | "kind" | "direction" | "items"> & Partial<Change>) {
  try {
    return await transact(async (tx) => {
      const prepared = await prepareChanges(tx, uid, [{ coins: {}, reference: "test", ...change }]);
      prepared.write();
      return prepared.done[0] ?? {};
    });
  } catch (error) {
    if (isAlreadyExists(error)) return {};
    throw error;
  }
}

const buys = fc.integer({ min: 1, max: 3 }).map(
  (blades): Step => ({
    what: `buy ${blades}`,
    run: (uid, model) => {
      const key = randomUUID();
      return {
        ask: () => make(uid, { key, kind: "purchase", direction: "give", items: { blade: blades } }),
        expected: ({ instances = [] }) => {
          model.blades.push(...instances);
          model.purchases.push({ key, blades: [...instances], taken: [] });
        },
      };
    },
  }),
);

/** A part of a purchase goes back, or what went back comes again: of its own unique items, the first that can. */
const refunds = fc.tuple(few, fc.integer({ min: 1, max: 3 }), fc.boolean()).map(
  ([which, blades, isUndone]): Step => ({
    what: `${isUndone ? "undo a refund" : "refund"} of ${blades} of ${which}`,
    run: (uid, model) => {
      const purchase = model.purchases[which % Math.max(1, model.purchases.length)];
      const { key = "", blades: given = [], taken = [] } = purchase ?? {};
      const can = given.filter((id) => (isUndone ? taken : model.blades).includes(id)).slice(0, blades);
      const gave = { key, items: { blade: given.length } };
      const items = { blade: isUndone ? can.length : blades };
      const change = { key: randomUUID(), kind: "refund", direction: isUndone ? "give" : "takeBack" } as const;
      return {
        ask: () => (purchase && items.blade > 0 ? make(uid, { ...change, items, gave }) : Promise.resolve({})),
        expected: () => {
          if (!purchase) return;
          const others = model.blades.filter((id) => !can.includes(id));
          model.blades = isUndone ? [...others, ...can] : others;
          purchase.taken = isUndone ? taken.filter((id) => !can.includes(id)) : [...taken, ...can];
        },
      };
    },
  }),
);

async function has(uid: string) {
  const [{ balances }, { items, instances = [] }] = await Promise.all([
    wallet({ uid }),
    listInventory({ uid }, { limit: 100 }),
  ]);
  const [{ available = 0, owed = 0 } = {}] = balances;
  return {
    coins: available - owed,
    wood: items[0]?.quantity ?? 0,
    blades: instances.map(({ instance }) => instance).sort(),
  };
}

/** Asks for a step, and again as often as it says; only the first time anything happens. */
async function happens(uid: string, model: Model, { step, repeats }: { step: Step; repeats: number }): Promise<void> {
  const { ask, expected } = step.run(uid, model);
  if (typeof expected === "string") {
    await expect(ask(), step.what).rejects.toMatchObject({ reason: expected });
    return;
  }
  const done = await ask();
  expected(done);
  await Promise.all(Array.from({ length: repeats }, ask));
  const { coins, wood, blades } = model;
  expect(await has(uid), step.what).toEqual({ coins, wood, blades: [...blades].sort() });
}

test("a user has what arithmetic says, whatever happens and however often it is asked for", async () => {
  const step = fc.oneof(grants, takes, consumes, consumesBlade, crafts, exchanges, buys, refunds, refunds);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ step, repeats: fc.integer({ min: 0, max: 2 }) }), { minLength: 6, maxLength: 24 }),
      async (steps) => {
        const { uid } = someone();
        const model = new Model();
        for (const one of steps) await happens(uid, model, one);
      },
    ),
    { numRuns: 25 },
  );
  expect((await verify({ scope: "all" })).problems).toEqual([]);
}, 120_000);
