import type * as z from "zod";
import { writeDown } from "../platform/audit.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { log } from "../platform/log.ts";
import { commit } from "./commit.ts";
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
import { accountId, type TransactionRecord } from "./records.ts";
import { transactionId } from "./request.ts";
import { reverse } from "./reverse.ts";
import { verify } from "./verify.ts";

/** What operators do with the books. Each deed and its entry in `audit/` are one transaction. */

const ADJUSTMENTS = "system:adjustments";

/** Whoever decides over coins decides over those of others. */
function checkNotOwn({ uid }: Caller, users: readonly string[]): void {
  if (!users.includes(uid)) return;
  throw new Failure("permission-denied", "This is your own account; others decide.", { reason: "own-account" });
}

/** Checks the books; what does not fit is also an error line in the log, for an alert. */
export async function verifyBooks(_caller: Caller, { scope }: z.output<typeof VerifyRequest>): Promise<VerifyReport> {
  const { problems, accounts, links, transactions, totals } = await verify({ scope, expectsHeads: true });
  const [first] = problems;
  if (first) log.error("the books do not fit", new Error(first.what), { document: first.document });
  return { problems: [...problems], accounts, links, transactions, totals };
}

/**
 * Gives a user coins of the house: what an operator grants, or the team's own server. Who it was stands in the transaction, so that it
 * needs no line in the log. Bill and refusals as of `post`, and `own-account`.
 */
export async function creditByHand(
  caller: Caller,
  { key, user, currency, amount, note }: z.output<typeof CreditRequest>,
): Promise<Credited> {
  checkNotOwn(caller, [user]);
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
  const account = accountId(user, currency);
  await setHot(user, currency, hot, (tx) =>
    writeDown(tx, {
      key: `${account} ${hot} ${now()}`,
      by: caller.uid,
      action: "ledger/hot",
      subject: `accounts/${account}`,
      details: { hot },
    }),
  );
  log.info("account is hot, by hand", { account, hot, by: caller.uid });
  if (!hot) await fold(account);
  return { hot };
}

/** Takes a transaction back by hand. A payout is not for the books alone: whether its money comes back, Stripe says. Refuses `own-account`. */
export async function reverseByHand(
  caller: Caller,
  { transaction, kind, note }: z.output<typeof ReverseRequest>,
): Promise<Reversed> {
  log.info("transaction reversed by hand", { transaction, kind, by: caller.uid });
  const request = { transaction, kind, reference: note, metadata: { operator: caller.uid } };
  const { id } = await reverse(request, {
    check: (original) => {
      checkNotOwn(caller, ownersOf(original));
      if (original.kind !== "payout") return;
      throw new Failure("failed-precondition", "A payout is taken back by its withdrawal.", {
        reason: "not-reversible",
      });
    },
    write: (tx, reversedBy) =>
      writeDown(tx, {
        key: transaction,
        by: caller.uid,
        action: "ledger/reverse",
        subject: `transactions/${transaction}`,
        note,
        details: { kind, reversedBy },
      }),
  });
  return { transaction: id };
}

function ownersOf({ links, accounts }: TransactionRecord): string[] {
  return [...Object.keys(links), ...accounts].map((account) => account.slice(0, account.lastIndexOf(":")));
}

/** Freezes accounts or lets them go, but not the operator's own, `own-account`; who did it and why stays in the books. */
export async function freezeByHand(
  caller: Caller,
  { user, currency, frozen, note }: z.output<typeof FreezeRequest>,
): Promise<Frozen> {
  checkNotOwn(caller, [user]);
  const only = currency === undefined ? {} : { currency };
  const { changed } = await freeze({ user, ...only, frozen, note, operator: caller.uid });
  log.info("accounts frozen or unfrozen by hand", { user, frozen, changed: changed.join(" "), by: caller.uid });
  return { user, frozen, changed };
}

/** Gives or takes by hand. What is given comes from `system:adjustments`, and what is taken goes there. Refuses `own-account`. */
export async function adjustByHand(
  caller: Caller,
  { key, user, currency, amount, source, note }: z.output<typeof AdjustRequest>,
): Promise<Adjusted> {
  checkNotOwn(caller, [user]);
  const ownKey = `adjustment ${key}`;
  const sides = amount > 0 ? { from: ADJUSTMENTS, to: user, as: { source } } : { from: user, to: ADJUSTMENTS };
  await commit(
    {
      key: ownKey,
      kind: "adjustment",
      postings: [{ ...sides, amount: Math.abs(amount), currency }],
      reference: note,
      metadata: { operator: caller.uid },
    },
    (tx) =>
      writeDown(tx, {
        key: ownKey,
        by: caller.uid,
        action: "ledger/adjust",
        subject: `users/${user}`,
        note,
        details: { currency, amount, transaction: transactionId(ownKey) },
      }),
  );
  log.info("balance adjusted by hand", { user, currency, amount, by: caller.uid });
  return { transaction: transactionId(ownKey) };
}
