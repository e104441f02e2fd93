import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { AggregateField, FieldValue, type Transaction, transact } from "../platform/firestore.ts";
import { accountId, accounts, incoming } from "./records.ts";

/**
 * Hot accounts: those to which many give at once, as to somebody who streams to a crowd. A document takes about one sustained write a
 * second, so what such an account is given goes past it: the house holds the amount in an account of its own (`system:incoming:…`), and
 * a document in `incoming`, made with the transaction, says whose it is. Nobody waits for anybody. Every few seconds a task folds what
 * has come in into the account; see fold.ts. Nothing else is different: what leaves the account leaves it at once.
 *
 * An instance hears that an account is hot when it reads it, and then need not read it again for a while.
 */

/** So long an instance takes an account for hot that no longer is; what then comes in is folded all the same. */
const REMEMBERED_MILLIS = 30_000;
const MAX_REMEMBERED = 1_000;

const hotUntil = new Map<string, number>();

/** Whether the account was hot when this instance last read it, and that was not long ago. */
export function isKnownHot(account: string): boolean {
  const until = hotUntil.get(account);
  if (until === undefined) return false;
  if (until > now() && until <= now() + REMEMBERED_MILLIS) return true;
  hotUntil.delete(account);
  return false;
}

/** Notes what an account has said of itself. */
export function noteHot(account: string, isHot: boolean): void {
  hotUntil.delete(account);
  if (!isHot) return;
  hotUntil.set(account, now() + REMEMBERED_MILLIS);
  const oldest = hotUntil.keys().next().value;
  if (hotUntil.size > MAX_REMEMBERED && oldest !== undefined) hotUntil.delete(oldest);
}

/**
 * Says whether an account is hot. Refuses `unknown-account`: one has to be there. Bill: a read and a write.
 * @param also adds further writes to the transaction
 */
export async function setHot(
  user: string,
  currency: string,
  hot: boolean,
  also?: (tx: Transaction) => void,
): Promise<void> {
  const id = accountId(user, currency);
  await transact(async (tx) => {
    if (!(await tx.get(accounts().doc(id))).exists) {
      throw new Failure("not-found", "There is no such account.", { reason: "unknown-account" });
    }
    tx.update(accounts().doc(id), { hot: hot ? true : FieldValue.delete() });
    also?.(tx);
  });
  noteHot(id, hot);
}

/** What an account was given that has not been folded in. One read for every 1,000. */
export async function incomingOf(account: string): Promise<number> {
  const sums = incoming()
    .where("account", "==", account)
    .aggregate({ amount: AggregateField.sum("amount") });
  return (await sums.get()).data().amount;
}
