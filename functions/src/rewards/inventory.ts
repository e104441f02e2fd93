import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath } from "../platform/firestore.ts";
import type { Inventory, InventoryRequest } from "./contract.ts";
import { inventory } from "./records.ts";

/** A page of what the caller has, by item. One read for each. */
export async function listInventory(
  caller: Caller,
  { limit, cursor }: z.output<typeof InventoryRequest>,
): Promise<Inventory> {
  let query = inventory(caller.uid).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const page = await query.get();
  const last = page.docs.at(-1);
  const items = page.docs.map((document) => ({ item: document.id, quantity: document.data().quantity }));
  return {
    items: items.filter(({ quantity }) => quantity > 0),
    ...(last && page.size === limit ? { nextCursor: last.id } : {}),
  };
}
