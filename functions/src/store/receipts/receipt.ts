import type * as z from "zod";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { ReceiptRequest, ReceiptView } from "./contract.ts";
import { receipts } from "./records.ts";

/** A receipt of the caller's by its number. One read. Refuses `unknown-receipt`. */
export async function receipt(caller: Caller, { number }: z.output<typeof ReceiptRequest>): Promise<ReceiptView> {
  const known = (await receipts().doc(number).get()).data();
  if (known?.user !== caller.uid) {
    throw new Failure("not-found", "You have no such receipt.", { reason: "unknown-receipt" });
  }
  const { user: _, purchasedAt, issuedAt, ...rest } = known;
  return { ...rest, purchasedAt: purchasedAt.toMillis(), issuedAt: issuedAt.toMillis() };
}
