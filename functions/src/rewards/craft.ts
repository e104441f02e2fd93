import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput } from "../platform/failure.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import type { Acted, CraftRequest, ExchangeRequest } from "./contract.ts";
import { type Recipe, recipes } from "./definitions.ts";
import { receive } from "./draw.ts";
import { itemOfInstance } from "./instance.ts";
import { once, scoped, seen } from "./once.ts";
import { type Crafted, crafted } from "./records.ts";
import { multiplied } from "./reward.ts";

/** Makes something out of the caller's coins and items by a recipe of kind `craft`; see {@link trade}. */
export function craft(caller: Caller, request: z.output<typeof CraftRequest>): Promise<Acted> {
  return trade(caller, "craft", { ...request, recipe: request.recipe });
}

/** Gives one thing for another at the operators' rate, by a recipe of kind `exchange`; see {@link trade}. */
export function exchange(caller: Caller, request: z.output<typeof ExchangeRequest>): Promise<Acted> {
  return trade(caller, "exchange", { ...request, recipe: request.exchange });
}

interface Trade {
  readonly key: string;
  readonly recipe: string;
  readonly count: number;
  readonly instances: readonly string[];
}

/**
 * Takes what a recipe costs and gives what it gives, all or nothing. What a table draws is given even past an item's maximum.
 *
 * Bill, of a recipe that takes one currency and one item for another item: 3 reads and 4 writes; 1 and 1 more if it has limits; repeated,
 * 1 read. Refuses `unknown-recipe`, `not-offered`, `limit-reached`, `insufficient-funds`, `not-enough-items`, `inventory-full`,
 * `too-many-instances`, `idempotency-key-reused` and what `post` refuses.
 */
async function trade(caller: Caller, kind: Recipe["kind"], request: Trade): Promise<Acted> {
  const { recipe: id, count, instances } = request;
  const { uid } = caller;
  const key = scoped(uid, request.key);
  const outcome = await once({ key, request: { act: kind, recipe: id, count, instances } }, async (tx) => {
    const recipe = await recipeOf(id, kind);
    checkRequest(recipe, request);
    const counted = await countUse(tx, { uid, id, recipe, count });
    const { reward, roll } = await receive(tx, { user: uid, key, gives: recipe.gives, times: count });
    return {
      user: uid,
      roll,
      also: counted,
      change: {
        kind: "exchange",
        direction: "give",
        coins: reward.coins,
        items: reward.items,
        entitlements: reward,
        costs: {
          coins: multiplied(recipe.costs.coins, count),
          items: multiplied(recipe.costs.items, count),
          instances,
        },
        keepsToMaximum: roll === undefined,
        pastMaximum: roll !== undefined,
        reference: `${kind}:${id}`,
      },
    };
  });
  return seen(outcome);
}

async function recipeOf(id: string, kind: Recipe["kind"]): Promise<Recipe> {
  const recipe = await recipes.find(id);
  if (!recipe || recipe.kind !== kind) {
    throw new Failure("not-found", `There is no ${kind} "${id}".`, { reason: "unknown-recipe", recipe: id });
  }
  const { from = 0, until = Number.POSITIVE_INFINITY } = recipe.offer ?? {};
  if (now() < from || now() >= until) {
    throw new Failure("failed-precondition", "This is not offered now.", { reason: "not-offered", recipe: id });
  }
  return recipe;
}

function checkRequest({ maximumCount, costs }: Recipe, { count, instances }: Trade): void {
  if (count > maximumCount) throw invalidInput("count", `must be ${maximumCount} at most`);
  const strange = instances.find((instance) => !Object.hasOwn(costs.items, itemOfInstance(instance)));
  if (strange !== undefined) throw invalidInput("instances", `"${strange}" is not what it costs`);
}

/** Counts uses of a recipe that has limits. Refuses `limit-reached`; returns what writes the count. */
async function countUse(
  tx: Transaction,
  { uid, id, recipe, count }: { uid: string; id: string; recipe: Recipe; count: number },
): Promise<() => void> {
  const { limits } = recipe;
  if (!limits) return () => undefined;
  const reference = crafted(uid).doc(id);
  const used = withMore((await tx.get(reference)).data(), count);
  const { perUser = Number.POSITIVE_INFINITY, perDay = Number.POSITIVE_INFINITY } = limits;
  const remaining = Math.min(perUser - used.total, perDay - used.today) + count;
  if (remaining < count) {
    throw new Failure("resource-exhausted", "This was used as often as it may be.", {
      reason: "limit-reached",
      recipe: id,
      remaining: Math.max(0, remaining),
      limit: used.total > perUser ? perUser : perDay,
    });
  }
  return () => {
    tx.set(reference, used);
  };
}

function withMore(before: Crafted | undefined, count: number): Crafted {
  const day = new Date(now()).toISOString().slice(0, 10);
  return {
    total: (before?.total ?? 0) + count,
    today: (before?.day === day ? before.today : 0) + count,
    day,
    updatedAt: timestamp(),
  };
}
