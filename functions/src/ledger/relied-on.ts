import { commitWrites, readDocuments, type Write } from "../platform/direct/index.ts";
import { checked, type Timestamp } from "../platform/firestore.ts";
import { Books } from "./books.ts";
import { noteHot } from "./hot.ts";
import { type Asked, accountsIn, type Judged, judge } from "./judge.ts";
import { compare, isContended, recall, remember } from "./memory.ts";
import { Account, accounts } from "./records.ts";

/**
 * A group commit without locks: accounts are taken as they are remembered, what is not is read, and all is written on condition that
 * none of their documents has been changed since. So whoever comes back to the same instance costs no read.
 */

/**
 * Whether a batch may be made this way. What only looks at an account writes nothing there that a condition could be put on; and where many
 * are at it, whoever has the lock gets on and whoever has a condition does not.
 */
export function canRely(batch: readonly Asked[]): boolean {
  return !batch.some(({ request, accounts }) => (request.expects?.length ?? 0) > 0 || accounts.some(isContended));
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
  const writes: Write[] = [];
  const create = ({ path }: { path: string }, fields: object) =>
    writes.push({ path, fields: { ...fields }, condition: "new" });
  const judged = judge({ create }, batch, books);
  const ofAccounts = accounts();
  for (const [id, after] of judged.changed) {
    const { path } = ofAccounts.doc(id);
    const known = before.get(id);
    if (known) writes.push({ path, ...changes(known.account, after), condition: known.version });
    else writes.push({ path, fields: after, condition: "new" });
  }
  if (judged.made.length > 0) {
    const times = await commitWrites(writes);
    const first = times.length - judged.changed.size;
    for (const [i, [id, account]] of [...judged.changed].entries()) remember(id, account, times[first + i]);
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
  const paths = missing.map((id) => ofAccounts.doc(id).path);
  const found = await readDocuments(paths);
  for (const [i, id] of missing.entries()) {
    const stored = found[i];
    const account = stored && checked(Account, paths[i] as string, stored.fields);
    noteHot(id, account?.hot ?? false);
    compare(id, account);
    if (account) before.set(id, { account, version: stored.updateTime });
  }
  const books = new Books();
  for (const id of ids) books.load(id, before.get(id)?.account);
  return { books, before, remembered };
}

/** What of an account a write has to name: the fields that are not what they were, and those that are no more. */
function changes(before: Account, after: Account): Pick<Write, "fields" | "removed"> {
  const fields: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(after)) {
    if (value !== before[field as keyof Account]) fields[field] = value;
  }
  return { fields, removed: Object.keys(before).filter((field) => !(field in after)) };
}
