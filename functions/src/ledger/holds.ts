import { now } from "../platform/clock.ts";
import { Failure, keyReused } from "../platform/failure.ts";
import {
  isAlreadyExists,
  type QueryDocumentSnapshot,
  type Transaction,
  timestamp,
  transact,
} from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { log } from "../platform/log.ts";
import { checkAmount } from "./balance.ts";
import { Books, type Entry } from "./books.ts";
import { earnedAt } from "./clearing.ts";
import { commit } from "./commit.ts";
import { currencyOf } from "./currencies.ts";
import { after, type Judged, judge, type Part, postingsOf, readHold } from "./hold-moves.ts";
import { leftOf } from "./holdings.ts";
import { type LotKind, takeLots } from "./lots.ts";
import {
  accountId,
  accounts,
  type Hold,
  heldBy,
  holds,
  type Kind,
  type TransactionRecord,
  transactions,
} from "./records.ts";
import { type NewTransaction, transactionId } from "./request.ts";
import { split } from "./split.ts";

/**
 * Holds: money of one user set aside for a purpose, as in escrow, until it is captured for others, whole or in parts, or released.
 * The id of a hold is the id of the transaction that made it.
 */

/** Captures and releases of one hold; the last takes all that is left. */
const MAX_MOVES = 100;
const MAX_PAYEES = 20;
const BASIS_POINTS = 10_000;
const LAST_MOMENT = Date.UTC(9999, 0);

export interface NewHold {
  /** The idempotency key. */
  readonly key: string;
  readonly owner: string;
  readonly amount: number;
  readonly currency: string;
  /** Milliseconds since the epoch; from then on a task releases what is left. */
  readonly expiresAt: number;
  /** Only what can be paid out in money is set aside: of the sources that the currency names, and cleared. */
  readonly only?: "redeemable";
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/**
 * Sets money aside. Bill: 2 reads, 3 writes.
 * Refuses `insufficient-funds`, `insufficient-redeemable`, `account-frozen`, and what `post` does.
 */
export async function hold(request: NewHold): Promise<{ id: string }> {
  // Asked for again after its end, it is what it was.
  if (!isToCome(request.expiresAt) && !(await isMade(request.key))) throw notToCome();
  const { id } = await commit(settingAside(request), (tx, entry) =>
    tx.create(holds().doc(entry.id), holdOf(request, entry)),
  );
  return { id };
}

/** {@link hold} as part of another Firestore transaction, which has an idempotency of its own. Bill: 1 read, 3 writes. */
export async function prepareHold(tx: Transaction, request: NewHold): Promise<Judged> {
  if (!isToCome(request.expiresAt)) throw notToCome();
  const { id, entry, write } = await judge(tx, settingAside(request));
  return {
    id,
    amount: request.amount,
    write: () => {
      write();
      tx.create(holds().doc(id), holdOf(request, entry));
    },
  };
}

function settingAside(request: NewHold): NewTransaction {
  const { key, owner, amount, currency, expiresAt, only, reference, metadata = {} } = request;
  return {
    key,
    kind: "hold",
    postings: [{ from: owner, to: heldBy(owner), amount, currency, ...(only ? { only } : {}) }],
    reference,
    metadata: { ...metadata, expiresAt },
  };
}

function holdOf({ owner, currency, amount, expiresAt, reference, metadata = {} }: NewHold, { record }: Entry): Hold {
  return {
    owner,
    currency,
    amount,
    captured: 0,
    released: 0,
    lots: record.postings.at(-1)?.lots ?? [],
    state: "active",
    expiresAt: timestamp(expiresAt),
    reference,
    metadata,
    moves: {},
    createdAt: record.at,
    updatedAt: record.at,
  };
}

/** Who gets a captured amount: users or accounts of the house, by weight. */
export interface Payee {
  readonly to: string;
  /** Whole; what each gets is its share of the sum of weights, and not a unit is lost to rounding. */
  readonly weight: number;
}

export interface Capture {
  /** The idempotency key. */
  readonly key: string;
  readonly hold: string;
  /** All that is left unless said otherwise. */
  readonly amount?: number;
  readonly payees: readonly Payee[];
  /** What the house keeps of the amount, in hundredths of a percent; rounded down, in the payees' favour. */
  readonly feeBasisPoints?: number;
  /** As what the payees get it; earned just now unless said otherwise. The owner of the hold gets it as what it was. */
  readonly as?: LotKind;
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/**
 * Pays out of a hold, the whole of it or a part, to one or several. Bill for one payee: 3 reads, 4 writes; a read and a write more for
 * each further user. Repeated under the same key: 1 read.
 * Refuses `unknown-hold`, `hold-closed`, `hold-too-small`, `too-many-moves`, `balance-too-large` of a payee.
 */
export function capture(request: Capture): Promise<{ id: string; amount: number }> {
  const { payees, feeBasisPoints = 0 } = request;
  if (payees.length === 0 || payees.length > MAX_PAYEES || payees.some(({ weight }) => !isWeight(weight))) {
    throw new RangeError(`a capture has 1 to ${MAX_PAYEES} payees with whole weights`);
  }
  if (!Number.isSafeInteger(feeBasisPoints) || feeBasisPoints < 0 || feeBasisPoints > BASIS_POINTS) {
    throw new RangeError("a fee is between 0 and 10000 basis points");
  }
  return move("capture", request, (amount, { currency }) => {
    const as = request.as ?? earnedAt(now(), currency);
    const fee = Number((BigInt(amount) * BigInt(feeBasisPoints)) / BigInt(BASIS_POINTS));
    const parts = split(
      amount - fee,
      payees.map(({ weight }) => weight),
    );
    return [
      ...payees.map(({ to }, i) => ({ to, amount: parts[i] as number, as })),
      { to: "system:fees", amount: fee },
    ].filter((part) => part.amount > 0);
  });
}

export interface Release {
  /** The idempotency key. */
  readonly key: string;
  readonly hold: string;
  /** All that is left unless said otherwise. */
  readonly amount?: number;
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/** Gives back what was held, the whole of it or a part, as the lots it was. Bill: 2 reads, 3 writes. Refuses as {@link capture}. */
export function release(request: Release): Promise<{ id: string; amount: number }> {
  return move("release", request, toOwner);
}

function toOwner(amount: number, { owner }: Hold): Part[] {
  return [{ to: owner, amount }];
}

/**
 * Moves the end of an active hold. It is a transaction without postings, so that nobody moves it in the database unseen. Bill: 2 reads, 3
 * writes. Refuses `unknown-hold`, `hold-closed`.
 */
export async function renew(id: string, expiresAt: number): Promise<void> {
  if (!isToCome(expiresAt)) throw notToCome();
  const attempt = () =>
    transact(async (tx) => {
      const current = await readHold(tx, id);
      if (current.state !== "active") throw closed();
      const by = expiresAt - current.expiresAt.toMillis();
      if (by === 0) return;
      const { owner, currency } = current;
      const account = (await tx.get(accounts().doc(accountId(owner, currency)))).data();
      const books = new Books();
      books.load(accountId(owner, currency), account);
      const entry = books.enter({
        key: `renew ${id} ${account?.seq ?? 0}`,
        kind: "renew",
        postings: [],
        reference: `hold:${id}`,
        metadata: { hold: id, by },
        expires: [{ owner, currency }],
      });
      tx.create(transactions().doc(entry.id), entry.record);
      for (const [changed, state] of entry.accounts) tx.set(accounts().doc(changed), state);
      tx.update(holds().doc(id), { expiresAt: timestamp(expiresAt), updatedAt: timestamp() });
    });
  // What was made of the account's same place was ours, and is seen by the next look.
  await attempt().catch((error: unknown) => (isAlreadyExists(error) ? attempt() : Promise.reject(error)));
}

/** Takes an amount out of a hold. */
function move(
  kind: Kind & ("capture" | "release"),
  request: Capture | Release,
  parts: (amount: number, hold: Hold) => readonly Part[],
  check?: (hold: Hold) => void,
): Promise<{ id: string; amount: number }> {
  const { key, hold: holdId, amount: wanted, reference, metadata = {} } = request;
  const { key: _, ...asked } = request;
  const print = fingerprint({ kind, ...asked });
  const id = transactionId(key);
  if (wanted !== undefined) checkAmount(wanted);
  const attempt = () =>
    transact(async (tx) => {
      const current = await readHold(tx, holdId);
      const done = current.moves[id];
      if (done) return repeated(id, done, print);
      check?.(current);
      const left = leftOf(current);
      const amount = wanted ?? left;
      checkMove(current, amount, left);
      const { taken, left: rest } = takeLots(current.lots, amount, currencyOf(current.currency).spendOrder);
      const postings = postingsOf(current, taken, parts(amount, current));
      const { write } = await judge(tx, { key, kind, postings, reference, metadata: { ...metadata, hold: holdId } });
      write();
      tx.set(holds().doc(holdId), after(current, { kind, id, amount, print, lots: rest }));
      return { id, amount };
    });
  return attempt().catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    // What has taken the key is this very request, if the hold knows of it.
    const done = (await holds().doc(holdId).get()).data()?.moves[id];
    if (done) return repeated(id, done, print);
    throw keyReused();
  });
}

function repeated(id: string, done: Hold["moves"][string], print: string): { id: string; amount: number } {
  if (done.fingerprint === print) return { id, amount: done.amount };
  throw keyReused();
}

function checkMove(current: Hold, amount: number, left: number): void {
  if (current.state !== "active") throw closed();
  if (amount > left) {
    throw new Failure("failed-precondition", "The hold does not hold that much any more.", {
      reason: "hold-too-small",
      available: left,
      needed: amount,
    });
  }
  // The last one is always free, so that nothing stays behind.
  if (Object.keys(current.moves).length >= MAX_MOVES - 1 && amount < left) {
    throw new Failure("failed-precondition", "Only all that is left can be captured or released.", {
      reason: "too-many-moves",
      available: left,
    });
  }
}

const EXPIRY_PAGE = 100;
const MAX_EXPIRY_PAGES = 20;

/** Releases what is left of holds whose time is over. For a schedule; bounded, the rest is for the next time. Returns how many. */
export async function expireHolds(): Promise<number> {
  const due = holds().where("state", "==", "active").where("expiresAt", "<=", timestamp()).orderBy("expiresAt");
  let count = 0;
  let last: QueryDocumentSnapshot | undefined;
  for (let page = 0; page < MAX_EXPIRY_PAGES; page++) {
    const after = last === undefined ? due : due.startAfter(last);
    const { docs } = await after.limit(EXPIRY_PAGE).get();
    for (const { id } of docs) if (await isExpired(id)) count++;
    last = docs.at(-1);
    if (docs.length < EXPIRY_PAGE) break;
  }
  return count;
}

/** Releases a hold whose time is over still; one that cannot be released keeps no other from it. */
async function isExpired(id: string): Promise<boolean> {
  const request = { key: `expiry ${id}`, hold: id, reference: `hold:${id}`, metadata: { expired: true } };
  try {
    await move("release", request, toOwner, ({ expiresAt }) => {
      // Renewed since it was found.
      if (expiresAt.toMillis() > now()) throw closed();
    });
    return true;
  } catch (error) {
    const isQuicker = error instanceof Failure && error.reason === "hold-closed";
    if (!isQuicker) log.error("hold not released at its end", error, { hold: id });
    return false;
  }
}

function closed(): Failure {
  return new Failure("failed-precondition", "Nothing is held any more.", { reason: "hold-closed" });
}

function isToCome(expiresAt: number): boolean {
  return Number.isSafeInteger(expiresAt) && expiresAt > now() && expiresAt <= LAST_MOMENT;
}

function notToCome(): RangeError {
  return new RangeError("a hold ends at a moment to come, in milliseconds since the epoch");
}

async function isMade(key: string): Promise<boolean> {
  return (await transactions().doc(transactionId(key)).get()).exists;
}

function isWeight(weight: number): boolean {
  return Number.isSafeInteger(weight) && weight > 0;
}
