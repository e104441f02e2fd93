import { LRUCache } from "lru-cache";
import type { Timestamp } from "../platform/firestore.ts";
import type { Account } from "./records.ts";

/**
 * Accounts as this instance has last seen them. Who relies on one writes on condition that its document has not been changed since, so what
 * is remembered wrongly costs a try and never a coin; see relied-on.ts.
 *
 * Where other instances change the same accounts, most of what is remembered is wrong. So after each disappointment nothing is relied on until
 * many accounts in a row, read anyway, were found as they were remembered.
 */
const MAX_REMEMBERED = 5_000;
const FOUND_AGAIN = 64;
/**
 * Accounts that others changed just when they were to be changed here, so often in a row, are looked at under lock, as long as that goes on. Once
 * happens to anybody: of those that are committed together one is enough, and which one it was is not told.
 */
const CONTENDED_TIMES = 2;
const CONTENDED_MILLIS = 200;
const MAX_CONTENDED = 1_000;

/** An account, and when its document was last written, as far as that is known: the version to make a condition of. */
export interface Seen {
  readonly account: Account;
  readonly version: Timestamp | undefined;
}

const seen = new LRUCache<string, Seen>({ max: MAX_REMEMBERED });
const contention = new LRUCache<string, { readonly times: number; readonly until: number }>({ max: MAX_CONTENDED });
let doubts = 0;

/** Whether what is remembered has proven right lately. */
export function isMemoryGood(): boolean {
  return doubts === 0;
}

/** An account that can be relied on; undefined for one of which not enough is known. */
export function recall(id: string): Seen | undefined {
  if (!isMemoryGood()) return undefined;
  const known = seen.get(id);
  return known?.version ? known : undefined;
}

/** @param version absent: what was written is known, but not when */
export function remember(id: string, account: Account, version?: Timestamp): void {
  // A hot account is changed by others, of which it hears by being read.
  if (account.hot) seen.delete(id);
  else seen.set(id, { account, version });
}

/** For whoever writes accounts without remembering them. */
export function forget(id: string): void {
  seen.delete(id);
}

/** Compares what is remembered of an account with what was just read. */
export function compare(id: string, found: Account | undefined): void {
  const known = seen.get(id);
  if (!known) return;
  if (known.account.seq === found?.seq) {
    contention.delete(id);
    if (doubts > 0) doubts--;
    return;
  }
  doubts = FOUND_AGAIN;
  if (isContended(id)) noteContention(id);
}

/** Notes that some of these accounts were not as they were thought to be. */
export function disappointed(ids: readonly string[]): void {
  doubts = FOUND_AGAIN;
  for (const id of ids) noteContention(id);
}

/** Whether others are at an account, too. */
export function isContended(id: string): boolean {
  return timesContended(id) >= CONTENDED_TIMES;
}

function noteContention(id: string): void {
  contention.set(id, { times: timesContended(id) + 1, until: performance.now() + CONTENDED_MILLIS });
}

function timesContended(id: string): number {
  const known = contention.get(id);
  return known && known.until > performance.now() ? known.times : 0;
}

/** Forgets everything, as a new instance. For tests. */
export function forgetAccounts(): void {
  seen.clear();
  contention.clear();
  doubts = 0;
}
