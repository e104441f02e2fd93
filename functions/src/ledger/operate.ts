import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { log } from "../platform/log.ts";
import type {
  Adjusted,
  AdjustRequest,
  Credited,
  CreditRequest,
  FreezeRequest,
  Frozen,
  HotAccount,
  HotRequest,
  Reversed,
  ReverseRequest,
  VerifyReport,
  VerifyRequest,
} from "./contract.ts";
import { fold } from "./fold.ts";
import { freeze } from "./freeze.ts";
import { setHot } from "./hot.ts";
import { post } from "./post.ts";
import { accountId } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";

/** What operators do with the books. */

const ADJUSTMENTS = "system:adjustments";

/** Checks the books; what does not fit is also an error line in the log, for an alert. */
export async function verifyBooks(_caller: Caller, { scope }: z.output<typeof VerifyRequest>): Promise<VerifyReport> {
  const { problems, accounts, links, transactions, totals } = await verify({ scope, expectsHeads: true });
  const [first] = problems;
  if (first) log.error("the books do not fit", new Error(first.what), { document: first.document });
  return { problems: [...problems], accounts, links, transactions, totals };
}

/**
 * Gives a user coins of the house: what an operator grants, or the team's own server. Who it was stands in the transaction, so that it
 * needs no line in the log. Bill and refusals as of `post`.
 */
export async function creditByHand(
  caller: Caller,
  { key, user, currency, amount, note }: z.output<typeof CreditRequest>,
): Promise<Credited> {
  const request = { key: `credit ${key}`, metadata: { operator: caller.uid } };
  const postings = [{ from: "system:mint", to: user, amount, currency }];
  await post({ ...request, kind: "grant", postings, reference: note });
  return { transaction: transactionId(request.key) };
}

/** Says that many give to an account at once, or no longer. */
export async function hotByHand(
  caller: Caller,
  { user, currency, hot }: z.output<typeof HotRequest>,
): Promise<z.output<typeof HotAccount>> {
  await setHot(user, currency, hot);
  log.info("account is hot, by hand", { account: accountId(user, currency), hot, by: caller.uid });
  if (!hot) await fold(accountId(user, currency));
  return { hot };
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

/** Freezes accounts or lets them go; who did it and why stays in the books. */
export async function freezeByHand(
  caller: Caller,
  { user, currency, frozen, note }: z.output<typeof FreezeRequest>,
): Promise<Frozen> {
  const only = currency === undefined ? {} : { currency };
  const { changed } = await freeze({ user, ...only, frozen, note, operator: caller.uid });
  log.info("accounts frozen or unfrozen by hand", { user, frozen, changed: changed.join(" "), by: caller.uid });
  return { user, frozen, changed };
}

/** Gives or takes by hand. What is given comes from `system:adjustments`, and what is taken goes there. */
export async function adjustByHand(
  caller: Caller,
  { key, user, currency, amount, source, note }: z.output<typeof AdjustRequest>,
): Promise<Adjusted> {
  const ownKey = `adjustment ${key}`;
  const sides = amount > 0 ? { from: ADJUSTMENTS, to: user, as: { source } } : { from: user, to: ADJUSTMENTS };
  await post({
    key: ownKey,
    kind: "adjustment",
    postings: [{ ...sides, amount: Math.abs(amount), currency }],
    reference: note,
    metadata: { operator: caller.uid },
  });
  log.info("balance adjusted by hand", { user, currency, amount, by: caller.uid });
  return { transaction: transactionId(ownKey) };
}
