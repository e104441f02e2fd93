import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { log } from "../platform/log.ts";
import type { Reversed, ReverseRequest, VerifyReport, VerifyRequest } from "./contract.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";

/** What operators do with the books. */

/** Checks the books; what does not fit is also an error line in the log, for an alert. */
export async function verifyBooks(_caller: Caller, { scope }: z.output<typeof VerifyRequest>): Promise<VerifyReport> {
  const { problems, accounts, links, transactions, totals } = await verify({ scope, expectsHeads: true });
  const [first] = problems;
  if (first) log.error("the books do not fit", new Error(first.what), { document: first.document });
  return { problems: [...problems], accounts, links, transactions, totals };
}

/** Takes a transaction back by hand. */
export async function reverseByHand(
  caller: Caller,
  { transaction, kind, note }: z.output<typeof ReverseRequest>,
): Promise<Reversed> {
  log.info("transaction reversed by hand", { transaction, kind, by: caller.uid });
  const { id } = await reverse({ transaction, kind, reference: note, metadata: { operator: caller.uid } });
  return { transaction: id };
}
