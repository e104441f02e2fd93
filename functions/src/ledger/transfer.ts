import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import type { TransferRequest, Transferred } from "./contract.ts";
import { post } from "./post.ts";
import { accountId } from "./records.ts";
import { transactionId } from "./request.ts";

/**
 * Sends coins of the caller's to another user, as the lots they are: what cannot be paid out does not become so by being sent.
 * Bill: 3 reads, 3 writes; sent again under the same key 1 read.
 * Refuses `not-transferable`, `insufficient-funds`, `account-frozen`, `same-account`, `balance-too-large` of the receiver, and what `post` does.
 */
export async function transfer(
  caller: Caller,
  { key, to, currency, amount, note }: z.output<typeof TransferRequest>,
): Promise<Transferred> {
  // JSON, so that a user's id and a key that begin alike stay apart.
  const scoped = `transfer ${JSON.stringify([caller.uid, key])}`;
  const { links } = await post({
    key: scoped,
    kind: "transfer",
    postings: [{ from: caller.uid, to, amount, currency }],
    reference: note ?? "transfer",
  });
  return {
    transaction: transactionId(scoped),
    available: links[accountId(caller.uid, currency)]?.available ?? 0,
  };
}
