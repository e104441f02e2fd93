import type * as z from "zod";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { FieldPath } from "../../platform/firestore.ts";
import { unseal } from "../../platform/seal.ts";
import type { Gifts, GiftsRequest } from "./contract.ts";
import { messagePlace } from "./give.ts";
import { type Gift, gifts } from "./records.ts";

/** A page of the gifts that wait for the caller, by id. One read for each. */
export async function listGifts(
  caller: Caller,
  { limit, cursor }: z.output<typeof GiftsRequest>,
): Promise<z.input<typeof Gifts>> {
  let query = gifts()
    .where("to", "==", caller.uid)
    .where("state", "==", "pending")
    .orderBy(FieldPath.documentId())
    .limit(limit);
  if (cursor !== undefined) query = query.startAfter(cursor);
  const { docs } = await query.get();
  const open = docs.filter((document) => document.data().expiresAt.toMillis() > now());
  const last = docs.at(-1);
  return {
    gifts: await Promise.all(open.map((document) => viewOf(document.id, document.data()))),
    ...(last && docs.length === limit ? { nextCursor: last.id } : {}),
  };
}

async function viewOf(id: string, gift: Gift): Promise<z.input<typeof Gifts>["gifts"][number]> {
  const { from, to, product, grant, message, createdAt, expiresAt } = gift;
  const opened = message && (await unseal(to, messagePlace(id), message));
  return {
    gift: id,
    from,
    product,
    grant,
    ...(typeof opened === "string" ? { message: opened } : {}),
    createdAt: createdAt.toMillis(),
    expiresAt: expiresAt.toMillis(),
  };
}
