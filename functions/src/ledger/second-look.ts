import { isDocumentId } from "../platform/ids.ts";
import { type Counts, countAccount, countHold, countPlace, countTransaction, isGenuine, placeOf } from "./counts.ts";
import type { Reader } from "./reading.ts";
import { type Account, accounts, holds, transactions } from "./records.ts";
import { Named, type Tally } from "./tally.ts";
import { chain } from "./walk.ts";

/** Of a tally's thousand buckets, how many are looked at for what does not fit. */
const MAX_BUCKETS = 20;
/** Places that are looked up to say what is wrong with them. */
const MAX_PLACES = 50;

/**
 * Names the documents for which what was counted from two sides did not come to nothing. Goes over the books once more, but keeps only what
 * may be one of them.
 */
export async function nameUneven(reader: Reader, counts: Counts<Tally>, broken: ReadonlySet<string>): Promise<void> {
  const named: Counts<Named> = {
    places: new Named(counts.places.uneven(MAX_BUCKETS)),
    reversals: new Named(counts.reversals.uneven(MAX_BUCKETS)),
    facts: new Named(counts.facts.uneven(MAX_BUCKETS)),
    held: new Named(counts.held.uneven(MAX_BUCKETS)),
  };
  if (Object.values(named).every(({ suspects }: Named) => suspects.isEmpty)) return;
  await countAgain(reader, named, broken);
  await notePlaces(reader, named.places);
  for (const key of named.reversals.sums.keys()) {
    const [reversed, reversal] = key.split(" ");
    reader.note(`transactions/${reversed}`, `it and ${reversal} do not name each other as reversed and reversal`);
  }
  for (const hold of new Set([...named.facts.sums.keys()].map((key) => key.slice(0, key.indexOf(" "))))) {
    const isThere = (await reader.get(holds().doc(hold))) !== undefined;
    reader.note(`holds/${hold}`, isThere ? "it is not what transactions have made of it" : "it is missing");
  }
  for (const [account, amount] of named.held.sums) {
    reader.note(`accounts/${account}`, `it holds ${amount} that no hold accounts for`);
  }
}

async function countAgain(reader: Reader, named: Counts<Named>, broken: ReadonlySet<string>): Promise<void> {
  for await (const page of reader.pages(accounts())) {
    for (const { id, data } of page) {
      countAccount(named, id, data);
      if (!broken.has(id)) await countPlaces(reader, named.places, { id, account: data });
    }
  }
  for await (const page of reader.pages(transactions())) {
    for (const { id, data } of page) if (isGenuine(id, data)) countTransaction(named, { id, record: data }, broken);
  }
  for await (const page of reader.pages(holds())) {
    for (const { id, data } of page) countHold(named, id, data);
  }
}

async function countPlaces(
  reader: Reader,
  places: Named,
  { id, account: { head, seq } }: { id: string; account: Account },
): Promise<void> {
  if (places.suspects.isEmpty) return;
  const stretch = { account: id, newest: head.transaction, seq, behind: 0 };
  for await (const link of chain(reader.read, stretch)) countPlace(places, id, link.id);
}

/** Genuine transactions without their place: the account was put back to before them, or they were put back themselves. */
async function notePlaces(reader: Reader, places: Named): Promise<void> {
  for (const { account, id } of [...places.sums.keys()].slice(0, MAX_PLACES).map(placeOf)) {
    if (!isDocumentId(account)) {
      reader.note(`transactions/${id}`, `it names ${account}, which is no account`);
      continue;
    }
    const state = await reader.get(accounts().doc(account));
    const record = await reader.get(transactions().doc(id));
    if (state === "problem" || record === "problem") continue;
    const seq = record?.links[account]?.seq ?? 0;
    if (!state) reader.note(`accounts/${account}`, `it is missing, and transactions/${id} is its number ${seq}`);
    else if (seq > state.seq) {
      reader.note(`accounts/${account}`, `it stands at ${state.seq}, and transactions/${id} is its number ${seq}`);
    } else reader.note(`transactions/${id}`, `it is in no place of the chain of ${account}`);
  }
}
