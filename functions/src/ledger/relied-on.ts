import { FieldValue, firestore, type Timestamp } from "../platform/firestore.ts";
import { Books } from "./books.ts";
import { noteHot } from "./hot.ts";
import { type Asked, accountsIn, type Judged, judge } from "./judge.ts";
import { isMemoryGood, recall, remember } from "./memory.ts";
import { type Account, accounts } from "./records.ts";

/**
 * A group commit without locks: accounts are taken as they are remembered, what is not is read, and all is written on condition that
 * none of their documents has been changed since. So whoever comes back to the same instance costs no read.
 */

/** Whether a batch may be made this way. What only looks at an account writes nothing there that a condition could be put on. */
export function canRely(batch: readonly Asked[]): boolean {
  return isMemoryGood() && !batch.some(({ request }) => (request.expects?.length ?? 0) > 0);
}

export interface Relied<One extends Asked> extends Judged<One> {
  /** Refused by what was only remembered: others may have changed it. */
  readonly unsure: One[];
}

/**
 * Makes a batch. Fails as a commit does whose conditions do not hold: with FAILED_PRECONDITION, NOT_FOUND or ALREADY_EXISTS.
 * Bill: a read for each account that is not remembered.
 */
export async function commitRelying<One extends Asked>(batch: readonly One[]): Promise<Relied<One>> {
  const { books, before, remembered } = await load(accountsIn(batch));
  const writes = firestore().batch();
  const judged = judge(writes, batch, books);
  const ofAccounts = accounts();
  for (const [id, after] of judged.changed) {
    const known = before.get(id);
    if (known) writes.update(ofAccounts.doc(id), changes(known.account, after), { lastUpdateTime: known.version });
    else writes.create(ofAccounts.doc(id), after);
  }
  if (judged.made.length > 0) {
    const results = await writes.commit();
    const first = results.length - judged.changed.size;
    for (const [i, [id, account]] of [...judged.changed].entries()) {
      remember(id, account, results[first + i]?.writeTime);
    }
  }
  const isUnsure = ({ one }: { one: One }) => one.accounts.some((id) => remembered.has(id));
  return {
    ...judged,
    refused: judged.refused.filter((refusal) => !isUnsure(refusal)),
    unsure: judged.refused.filter(isUnsure).map(({ one }) => one),
  };
}

interface Stored {
  readonly account: Account;
  readonly version: Timestamp;
}

async function load(
  ids: readonly string[],
): Promise<{ books: Books; before: Map<string, Stored>; remembered: Set<string> }> {
  const before = new Map<string, Stored>();
  const remembered = new Set<string>();
  for (const id of ids) {
    const { account, version } = recall(id) ?? {};
    if (!account || !version) continue;
    before.set(id, { account, version });
    remembered.add(id);
  }
  const missing = ids.filter((id) => !remembered.has(id));
  const ofAccounts = accounts();
  const found = missing.length > 0 ? await firestore().getAll(...missing.map((id) => ofAccounts.doc(id))) : [];
  for (const [i, id] of missing.entries()) {
    const snapshot = found[i];
    const account = snapshot?.data() as Account | undefined;
    noteHot(id, account?.hot ?? false);
    if (account && snapshot?.updateTime) before.set(id, { account, version: snapshot.updateTime });
  }
  const books = new Books();
  for (const id of ids) books.load(id, before.get(id)?.account);
  return { books, before, remembered };
}

/** The fields of an account that a write has to name: those that are not what they were. */
function changes(before: Account, after: Account): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after)) {
    if (value !== before[field as keyof Account]) changed[field] = value;
  }
  for (const field of Object.keys(before)) {
    if (!(field in after)) changed[field] = FieldValue.delete();
  }
  return changed;
}
