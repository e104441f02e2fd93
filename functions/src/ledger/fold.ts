import { now } from "../platform/clock.ts";
import {
  FieldPath,
  isAlreadyExists,
  isChangedMeanwhile,
  isContention,
  type Transaction,
  timestamp,
  transact,
} from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { enqueue } from "../platform/tasks.ts";
import { total } from "./balance.ts";
import { Books } from "./books.ts";
import { isIncomingSigned } from "./chain.ts";
import { currencyOf } from "./currencies.ts";
import { addLots } from "./lots.ts";
import { type Account, accounts, type Incoming, incoming, incomingSide, transactions } from "./records.ts";

/** Folding: what hot accounts were given enters them, many amounts in one transaction, as the lots it was. See hot.ts. */

/** Amounts of one transaction: each is a delete, and a commit takes 500 writes. */
const MAX_FOLDED = 400;
/** Transactions of one call; what does not fit into them is for the next. */
const MAX_FOLDS = 50;
/** How often what others were folding at the same time is looked at anew. */
const MAX_ATTEMPTS = 5;
/** A task for each account in each such time, at its end. */
const EVERY_MILLIS = 5_000;

/** The queue of the function that folds; exported under this name by `index.ts`. */
export const FOLD_QUEUE = "ledgerFolds";

/** By account, until when this instance has seen to a task. */
const scheduled = new Map<string, number>();
const MAX_SCHEDULED = 1_000;

/**
 * Has accounts folded soon: one task for each at a time, by its name, whichever instance asks first. One that cannot be queued is made up
 * for by {@link foldAll}.
 */
export async function scheduleFolds(ids: Iterable<string>): Promise<void> {
  const round = Math.floor(now() / EVERY_MILLIS);
  const due = [...new Set(ids)].filter((id) => scheduled.get(id) !== round);
  for (const id of due) {
    scheduled.delete(id);
    scheduled.set(id, round);
    const oldest = scheduled.keys().next().value;
    if (scheduled.size > MAX_SCHEDULED && oldest !== undefined) scheduled.delete(oldest);
  }
  await Promise.all(due.map((id) => schedule(id, round)));
}

async function schedule(account: string, round: number): Promise<void> {
  try {
    const name = deterministicId("fold", account, String(round));
    await enqueue(FOLD_QUEUE, { name, data: { account }, delaySeconds: EVERY_MILLIS / 1_000 });
  } catch (error) {
    log.error("fold not queued", error, { account });
  }
}

/**
 * Folds what an account was given into it. What would take it past its currency's maximum stays where it is, and is not lost, until there is
 * room. Bill: 1 read and 2 writes for up to 400, a read and a delete for each. Returns how many were folded.
 */
export async function fold(account: string): Promise<number> {
  let count = 0;
  for (let round = 0; round < MAX_FOLDS; round++) {
    const { found, folded } = await foldSome(account);
    count += folded;
    if (found < MAX_FOLDED || folded === 0) return count;
  }
  return count;
}

const PAGE = 400;
const MAX_PAGES = 20;

/** Folds whatever has no task any more. For a schedule; bounded, the rest is for the next time. Returns how many were folded. */
export async function foldAll(): Promise<number> {
  let count = 0;
  let last: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const some = incoming().orderBy(FieldPath.documentId()).limit(PAGE);
    const { docs } = await (last === undefined ? some : some.startAfter(last)).get();
    for (const account of new Set(docs.map((document) => document.data().account))) count += await fold(account);
    last = docs.at(-1)?.id;
    if (docs.length < PAGE) return count;
  }
  return count;
}

interface Given {
  readonly id: string;
  readonly data: Incoming;
}

async function foldSome(account: string): Promise<{ found: number; folded: number }> {
  for (let attempt = 1; ; attempt++) {
    // Outside of the transaction, which else would keep everybody from giving; what is found never changes, and the deletes see to it
    // that it is folded once.
    const of = incoming().where("account", "==", account).orderBy(FieldPath.documentId());
    const { docs } = await of.limit(MAX_FOLDED).get();
    const given = docs.map((document) => ({ id: document.id, data: document.data() })).filter(isGenuine);
    try {
      if (given.length === 0) return { found: docs.length, folded: 0 };
      const folded = await transact((tx) => enter(tx, account, given));
      return { found: docs.length, folded };
    } catch (error) {
      // Others have folded the same at the same time, or this was done and its answer lost.
      const isTooLate = isChangedMeanwhile(error) || isAlreadyExists(error) || isContention(error);
      if (attempt >= MAX_ATTEMPTS || !isTooLate) throw error;
    }
  }
}

/** What the ledger has not written enters nowhere. */
function isGenuine({ id, data }: Given): boolean {
  const isSigned = isIncomingSigned(id, data);
  if (!isSigned) log.error("not folded", new Error("its signature is not of what it says"), { incoming: id });
  return isSigned;
}

async function enter(tx: Transaction, account: string, given: readonly Given[]): Promise<number> {
  const before = (await tx.get(accounts().doc(account))).data();
  const fitting = fittingInto(before, given);
  const [first] = fitting;
  if (!first) {
    log.warn("an account has no room for what it was given", { account });
    return 0;
  }
  const books = new Books(timestamp());
  books.load(account, before);
  const { currency } = first.data;
  const {
    id,
    record,
    accounts: after,
  } = books.enter({
    key: `fold ${account} ${deterministicId(...fitting.map(({ id }) => id))}`,
    kind: "fold",
    postings: [
      {
        from: incomingSide(account),
        to: account.slice(0, -currency.length - 1),
        amount: fitting.reduce((sum, { data }) => sum + data.amount, 0),
        currency,
        lots: addLots(
          [],
          fitting.flatMap(({ data }) => data.lots),
        ),
      },
    ],
    reference: "fold",
  });
  tx.create(transactions().doc(id), record);
  for (const [changed, state] of after) tx.set(accounts().doc(changed), state);
  for (const { id } of fitting) tx.delete(incoming().doc(id), { exists: true });
  return fitting.length;
}

/** Those that an account can take, debts settled. */
function fittingInto(account: Account | undefined, given: readonly Given[]): Given[] {
  const { maximumBalance } = currencyOf(given[0]?.data.currency ?? "");
  let room = maximumBalance - (account ? total(account) : 0);
  return given.filter(({ data: { amount } }) => {
    if (amount > room) return false;
    room -= amount;
    return true;
  });
}
