import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { getAll, type Transaction, timestamp } from "../platform/firestore.ts";
import { Books, type Entry } from "./books.ts";
import { currencyOf } from "./currencies.ts";
import { type Lot, type LotKind, takeLots } from "./lots.ts";
import { accounts, type Hold, heldBy, holds, transactions } from "./records.ts";
import { accountsOf, type NewPosting, type NewTransaction } from "./request.ts";

/** What everything that takes out of a hold has in common. */

/** What has been judged as part of another Firestore transaction, and is done once it is written. */
export interface Judged {
  /** The id of the ledger's transaction. */
  readonly id: string;
  readonly amount: number;
  /** Adds the writes. */
  write(): void;
}

/** Judges one transaction on the accounts it touches. */
export async function judge(
  tx: Transaction,
  request: NewTransaction,
): Promise<{ id: string; entry: Entry; write: () => void }> {
  const books = new Books();
  for (const [account, state] of await getAll(tx, accounts(), accountsOf(request))) books.load(account, state);
  const entry = books.enter(request);
  return {
    id: entry.id,
    entry,
    write: () => {
      tx.create(transactions().doc(entry.id), entry.record);
      for (const [account, state] of entry.accounts) tx.set(accounts().doc(account), state);
    },
  };
}

/** A hold as it is stored; refuses `unknown-hold`. */
export async function readHold(tx: Transaction, id: string): Promise<Hold> {
  const current = (await tx.get(holds().doc(id))).data();
  if (!current) throw new Failure("not-found", "There is no such hold.", { reason: "unknown-hold" });
  return current;
}

/** Who gets a part of what leaves a hold. */
export interface Part {
  readonly to: string;
  readonly amount: number;
  readonly as?: LotKind;
}

/** A posting for each part, each with lots of its own. */
export function postingsOf(current: Hold, lots: readonly Lot[], parts: readonly Part[]): NewPosting[] {
  const { owner, currency } = current;
  let rest = lots;
  return parts.map(({ to, amount, as }) => {
    const { taken, left } = takeLots(rest, amount, currencyOf(currency).spendOrder);
    rest = left;
    // Whoever captures for themselves has earned nothing.
    const entered = as && to !== owner ? { as: notSooner(as, taken) } : {};
    return { from: heldBy(owner), to, amount, currency, lots: taken, ...entered };
  });
}

/** What has not cleared does not clear sooner because it has changed hands. */
function notSooner(as: LotKind, lots: readonly Lot[]): LotKind {
  const clearsAt = Math.max(as.clearsAt ?? 0, ...lots.map((lot) => lot.clearsAt ?? 0));
  return clearsAt > now() ? { ...as, clearsAt } : as;
}

/** A hold after something has left it. */
export function after(
  current: Hold,
  {
    kind,
    id,
    amount,
    print,
    lots,
  }: { kind: "capture" | "release"; id: string; amount: number; print: string; lots: Lot[] },
): Hold {
  const captured = current.captured + (kind === "capture" ? amount : 0);
  const released = current.released + (kind === "release" ? amount : 0);
  const isOver = captured + released === current.amount;
  return {
    ...current,
    captured,
    released,
    lots,
    state: isOver ? (captured > 0 ? "captured" : "released") : "active",
    moves: { ...current.moves, [id]: { fingerprint: print, amount } },
    updatedAt: timestamp(),
  };
}
