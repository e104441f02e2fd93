import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { FieldPath, Timestamp } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { History, HistoryRequest } from "./contract.ts";
import { currencyOf } from "./currencies.ts";
import { accountId, heldBy, incomingSide, type TransactionRecord, transactions } from "./records.ts";

/** A page of the transactions of one of the caller's accounts, newest first. One read for each row. */
export async function history(caller: Caller, request: z.output<typeof HistoryRequest>): Promise<History> {
  const { currency, limit, cursor } = request;
  currencyOf(currency);
  const account = accountId(caller.uid, currency);
  let query = transactions()
    .where("accounts", "array-contains", account)
    .orderBy("at", "desc")
    .orderBy(FieldPath.documentId(), "desc")
    .limit(limit);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const page = await query.get();
  const last = page.docs.at(-1);
  return {
    transactions: page.docs.map((document) => {
      const { kind, postings, reference, at, links } = document.data();
      const link = links[account];
      return {
        id: document.id,
        kind,
        amount: gain(postings, account) + gain(postings, incomingSide(account)),
        held: gain(postings, heldBy(account)),
        ...(link ? { available: link.available } : {}),
        reference,
        at: at.toMillis(),
      };
    }),
    ...(last && page.size === limit ? { nextCursor: cursorOf(last.data().at, last.id) } : {}),
  };
}

function gain(postings: TransactionRecord["postings"], account: string): number {
  return postings.reduce(
    (sum, { from, to, amount }) => sum + (to === account ? amount : 0) - (from === account ? amount : 0),
    0,
  );
}

function cursorOf(at: Timestamp, id: string): string {
  return `${at.seconds}.${at.nanoseconds}.${id}`;
}

function readCursor(cursor: string): [Timestamp, string] {
  const match = /^(\d{1,11})\.(\d{1,9})\.([\w-]{1,100})$/.exec(cursor);
  if (!match || !isDocumentId(match[3] ?? ""))
    throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [new Timestamp(Number(match[1]), Number(match[2])), match[3] as string];
}
