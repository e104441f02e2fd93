import { writeDown } from "../platform/audit.ts";
import { getAll, isAlreadyExists, transact } from "../platform/firestore.ts";
import { Books } from "./books.ts";
import { CURRENCIES, currencyOf } from "./currencies.ts";
import { forget } from "./memory.ts";
import { accountId, accounts, transactions } from "./records.ts";
import type { NewTransaction } from "./request.ts";

/**
 * Freezing: nothing leaves what is available in a frozen account until an operator says so. What comes in comes in; what was set aside
 * before was promised, so it is still captured or released; refunds, chargebacks, adjustments and expiry still take.
 *
 * It is a transaction without postings, so it stands in the account's chain: an account that was frozen or unfrozen in the database by
 * hand is found by the verifier like one whose balance was changed.
 */
export interface Freeze {
  readonly user: string;
  /** All currencies there are unless said otherwise, also those that the user has yet to get. */
  readonly currency?: string;
  readonly frozen: boolean;
  /** Why, and who says so, for those who read the books later. */
  readonly note: string;
  readonly operator: string;
}

/**
 * Freezes a user's accounts or lets them go. Those that are so already are left alone, so it can be asked for again. Answers with the
 * currencies that have changed. Bill: a read for each account, a write for each that changes, one for the
 * transaction and one for `audit/`.
 * Refuses `unknown-currency`.
 */
export async function freeze(request: Freeze): Promise<{ changed: string[] }> {
  const currencies = request.currency === undefined ? Object.keys(CURRENCIES) : [request.currency];
  for (const currency of currencies) currencyOf(currency);
  try {
    return await attempt(request, currencies);
  } catch (error) {
    // It was ours, or that of somebody who was quicker: what is to be done now follows from what is there now.
    if (isAlreadyExists(error)) return await attempt(request, currencies);
    throw error;
  }
}

function attempt(request: Freeze, currencies: readonly string[]): Promise<{ changed: string[] }> {
  const { user, frozen, note, operator } = request;
  return transact(async (tx) => {
    const ids = currencies.map((currency) => accountId(user, currency));
    const before = await getAll(tx, accounts(), ids);
    const changed = currencies.filter(
      (currency) => (before.get(accountId(user, currency))?.frozen ?? false) !== frozen,
    );
    if (changed.length === 0) return { changed };
    const books = new Books();
    for (const [id, account] of before) books.load(id, account);
    const places = changed.map((currency) => `${currency}@${before.get(accountId(user, currency))?.seq ?? 0}`);
    const newTransaction: NewTransaction = {
      key: `freeze ${user} ${places.join(" ")}`,
      kind: frozen ? "freeze" : "unfreeze",
      postings: [],
      reference: note,
      metadata: { operator },
      expires: changed.map((currency) => ({ owner: user, currency })),
    };
    const { id, record, accounts: after } = books.enter(newTransaction);
    tx.create(transactions().doc(id), record);
    for (const [account, state] of after) {
      tx.set(accounts().doc(account), state);
      forget(account);
    }
    const deed = { key: newTransaction.key, by: operator, note, details: { changed, transaction: id } };
    writeDown(tx, { ...deed, action: frozen ? "ledger/freeze" : "ledger/unfreeze", subject: `users/${user}` });
    return { changed };
  });
}
