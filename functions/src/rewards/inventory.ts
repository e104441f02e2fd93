import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath } from "../platform/firestore.ts";
import type { Inventory, InventoryRequest } from "./contract.ts";
import { isInstance, isOwned } from "./instance.ts";
import { type Instance, inventory, type Stack } from "./records.ts";
import { pileOf } from "./stack.ts";

/** A page of what the caller has, by item. One read for each stack and unique item. */
export async function listInventory(
  caller: Caller,
  { limit, cursor }: z.output<typeof InventoryRequest>,
): Promise<Inventory> {
  let query = inventory(caller.uid).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const page = await query.get();
  const last = page.docs.at(-1);
  const items: Inventory["items"] = [];
  const instances: NonNullable<Inventory["instances"]> = [];
  for (const document of page.docs) {
    const one = document.data();
    if (isInstance(one)) instances.push(...seenInstance(document.id, one));
    else items.push(...seenStack(document.id, one));
  }
  return {
    items,
    ...(instances.length > 0 ? { instances } : {}),
    ...(last && page.size === limit ? { nextCursor: last.id } : {}),
  };
}

function seenStack(item: string, stack: Stack): Inventory["items"] {
  const { quantity, lots } = pileOf(stack, now());
  const [first] = lots;
  return quantity > 0 ? [{ item, quantity, ...(first ? { expiresAt: first.expiresAt } : {}) }] : [];
}

function seenInstance(id: string, one: Instance): NonNullable<Inventory["instances"]> {
  if (!isOwned(one)) return [];
  const { item, properties, acquiredFrom, acquiredAt, expiresAt } = one;
  return [
    {
      instance: id,
      item,
      properties,
      acquiredFrom,
      acquiredAt: acquiredAt.toMillis(),
      ...(expiresAt ? { expiresAt: expiresAt.toMillis() } : {}),
    },
  ];
}
