import { contentOf, isSigned } from "./chain.ts";
import { factsOf, factsOfHold, leftOf } from "./holdings.ts";
import { type Account, accountId, type Hold, type TransactionRecord } from "./records.ts";

/** Sums by key. */
interface Sums {
  add(key: string, amount: number): void;
}

/** What the verifier counts from two sides: in books that fit, each sum of each key is nothing. */
export interface Counts<Kind extends Sums> {
  /** Places in chains, by account and transaction: met in chains, less named by transactions. */
  readonly places: Kind;
  /** Reversals: named by the reversal, less named by the reversed. */
  readonly reversals: Kind;
  /** Facts about holds: as transactions say, less as holds say. */
  readonly facts: Kind;
  /** What is held, by account: as the account says, less as its holds say. */
  readonly held: Kind;
}

export function countPlace(places: Sums, account: string, transaction: string): void {
  places.add(`${account} ${transaction}`, 1);
}

/** The account and the transaction of a place. */
export function placeOf(key: string): { account: string; id: string } {
  const end = key.lastIndexOf(" ");
  return { account: key.slice(0, end), id: key.slice(end + 1) };
}

export function countAccount({ held }: Counts<Sums>, id: string, account: Account): void {
  held.add(id, account.held);
}

/** Counts what a genuine transaction says. @param broken accounts whose places are not counted */
export function countTransaction(
  { places, reversals, facts }: Counts<Sums>,
  { id, record }: { id: string; record: TransactionRecord },
  broken: ReadonlySet<string>,
): void {
  for (const account of Object.keys(record.links)) if (!broken.has(account)) places.add(`${account} ${id}`, -1);
  if (record.reverses !== undefined) reversals.add(`${record.reverses} ${id}`, 1);
  if (record.reversedBy !== undefined) reversals.add(`${id} ${record.reversedBy}`, -1);
  for (const { hold, fact, amount } of factsOf(id, record)) facts.add(`${hold} ${fact}`, amount);
}

export function countHold({ facts, held }: Counts<Sums>, id: string, hold: Hold): void {
  for (const { fact, amount } of factsOfHold(id, hold)) facts.add(`${id} ${fact}`, -amount);
  held.add(accountId(hold.owner, hold.currency), -leftOf(hold));
}

/** Whether the ledger has written it; of what it has not, nothing is counted. */
export function isGenuine(id: string, record: TransactionRecord): boolean {
  return isSigned(contentOf(id, record), record.signature);
}
