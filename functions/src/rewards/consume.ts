import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { Failure, invalidInput } from "../platform/failure.ts";
import type { Acted, ConsumeRequest } from "./contract.ts";
import { items } from "./definitions.ts";
import { receive } from "./draw.ts";
import { itemOfInstance } from "./instance.ts";
import { once, scoped, seen } from "./once.ts";

/**
 * Uses up some of the caller's items for what they give, all or nothing. What a table draws is given even past an item's maximum, so that
 * nobody can draw until they like what they would get.
 *
 * Bill, of one item that gives one currency: 3 reads and 3 writes; repeated, 1 read. Refuses `unknown-item`, `not-consumable`,
 * `not-enough-items`, `inventory-full`, `too-many-instances`, `idempotency-key-reused` and what `post` refuses.
 */
export async function consume(caller: Caller, request: z.output<typeof ConsumeRequest>): Promise<Acted> {
  const { item, instance, count } = request;
  const named = item ?? itemOfInstance(instance ?? "");
  const key = scoped(caller.uid, request.key);
  const outcome = await once({ key, request: { act: "consume", item, instance, count } }, async (tx) => {
    const gives = await consumedOf(named, instance);
    const { reward, roll } = await receive(tx, { user: caller.uid, key, gives, times: count });
    return {
      user: caller.uid,
      roll,
      change: {
        kind: "exchange",
        direction: "give",
        coins: reward.coins,
        items: reward.items,
        entitlements: reward,
        costs: { coins: {}, items: { [named]: count }, instances: instance === undefined ? [] : [instance] },
        keepsToMaximum: roll === undefined,
        pastMaximum: roll !== undefined,
        reference: `consume:${named}`,
      },
    };
  });
  return seen(outcome);
}

async function consumedOf(item: string, instance: string | undefined) {
  const definition = await items.find(item);
  if (!definition) {
    throw new Failure("not-found", `There is no item "${item}".`, { reason: "unknown-item", item });
  }
  if (!definition.consume) {
    throw new Failure("failed-precondition", `"${item}" cannot be consumed.`, { reason: "not-consumable", item });
  }
  if ((definition.kind === "unique") !== (instance !== undefined)) {
    throw invalidInput("instance", "must name a unique item, and only such");
  }
  return definition.consume;
}
