import type * as z from "zod";
import type { Caller } from "../../platform/endpoint.ts";
import { invalidInput } from "../../platform/failure.ts";
import { FieldPath, Timestamp } from "../../platform/firestore.ts";
import { isDocumentId } from "../../platform/ids.ts";
import { type Foretold, type Purchase, purchases } from "../records.ts";
import type { Purchases, PurchasesRequest } from "./contract.ts";

/** A page of what the caller has bought in whatever store, newest first. One read for each row. */
export async function listPurchases(
  caller: Caller,
  { limit, cursor }: z.output<typeof PurchasesRequest>,
): Promise<z.input<typeof Purchases>> {
  let query = purchases()
    .where("user", "==", caller.uid)
    .orderBy("purchasedAt", "desc")
    .orderBy(FieldPath.documentId(), "desc")
    .limit(limit);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.get();
  const last = docs.at(-1)?.data();
  const rows = docs.flatMap((document) => rowOf(document.id, document.data()));
  return {
    purchases: rows,
    ...(last && last.state !== "foretold" && docs.length === limit
      ? { nextCursor: cursorOf(last.purchasedAt, docs.at(-1)?.id ?? "") }
      : {}),
  };
}

function rowOf(id: string, purchase: Purchase | Foretold): z.input<typeof Purchases>["purchases"] {
  if (purchase.state === "foretold") return [];
  const { product, store, state, price, grant, receipt, gift, purchasedAt } = purchase;
  return [
    {
      purchase: id,
      product,
      store,
      state,
      isPending: state === "review",
      ...(price ? { price } : {}),
      grant,
      ...(receipt === undefined ? {} : { receipt }),
      ...(gift === undefined ? {} : { gift }),
      purchasedAt: purchasedAt.toMillis(),
    },
  ];
}

function cursorOf(at: Timestamp, id: string): string {
  return `${at.seconds}.${at.nanoseconds}.${id}`;
}

function readCursor(cursor: string): [Timestamp, string] {
  const [, seconds, nanoseconds, id = ""] = /^(\d{1,11})\.(\d{1,9})\.(.+)$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [new Timestamp(Number(seconds), Number(nanoseconds)), id];
}
