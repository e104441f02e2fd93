import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { getAll, isAlreadyExists, type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { checkAmount } from "./balance.ts";
import { Books, type Entry } from "./books.ts";
import { commit } from "./commit.ts";
import { currencyOf } from "./currencies.ts";
import { type Lot, type LotKind, sum, takeLots } from "./lots.ts";
import { accounts, type Hold, heldBy, holds, type Kind, type TransactionRecord, transactions } from "./records.ts";
import { accountsOf, type NewPosting, type NewTransaction, transactionId } from "./request.ts";
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
  readonly reference: string;
  readonly metadata?: TransactionRecord["metadata"];
}

/** Sets money aside. Bill: 2 reads, 3 writes. Refuses `insufficient-funds`, `account-frozen`, and what `post` does. */
export async function hold(request: NewHold): Promise<{ id: string }> {
  const { key, owner, amount, currency, expiresAt, reference, metadata = {} } = request;
  // Asked for again after its end, it is what it was.
  if (!isToCome(expiresAt) && !(await isMade(key))) throw notToCome();
  const { id } = await commit(
    {
      key,
      kind: "hold",
      postings: [{ from: owner, to: heldBy(owner), amount, currency }],
      reference,
      metadata: { ...metadata, expiresAt },
    },
    (tx, entry) => tx.create(holds().doc(entry.id), holdOf(request, entry)),
  );
  return { id };
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
  /** As what the payees get it; earned unless said otherwise. */
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
  const { payees, feeBasisPoints = 0, as = { source: "earned" } } = request;
  if (payees.length === 0 || payees.length > MAX_PAYEES || payees.some(({ weight }) => !isWeight(weight))) {
    throw new RangeError(`a capture has 1 to ${MAX_PAYEES} payees with whole weights`);
  }
  if (!Number.isSafeInteger(feeBasisPoints) || feeBasisPoints < 0 || feeBasisPoints > BASIS_POINTS) {
    throw new RangeError("a fee is between 0 and 10000 basis points");
  }
  return move("capture", request, (amount) => {
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
  return move("release", request, (amount, { owner }) => [{ to: owner, amount }]);
}

/** Moves the end of an active hold. Bill: 1 read, 1 write. Refuses `unknown-hold`, `hold-closed`. */
export async function renew(id: string, expiresAt: number): Promise<void> {
  if (!isToCome(expiresAt)) throw notToCome();
  await transact(async (tx) => {
    const current = await readHold(tx, id);
    if (current.state !== "active") throw closed();
    tx.update(holds().doc(id), { expiresAt: timestamp(expiresAt), updatedAt: timestamp() });
  });
}

/** Holds of one owner that a clawback looks through, those first whose time is over first. */
const MAX_HOLDS_TAKEN = 50;

/** Releases that have to come before a clawback, for what is held is taken before anything is owed. */
export interface Freed {
  readonly requests: readonly NewTransaction[];
  /** Adds the writes of the holds to the Firestore transaction; those of the releases are the caller's. */
  write(): void;
}

/**
 * Lets go of as much of an owner's holds as an amount needs beyond what is available; whoever was to have it finds the hold too small.
 * One read for each hold looked at.
 * @param key of the transaction that takes the amount back
 */
export async function free(
  tx: Transaction,
  { key, owner, currency, amount }: { key: string; owner: string; currency: string; amount: number },
): Promise<Freed> {
  const active = holds().where("owner", "==", owner).where("currency", "==", currency).where("state", "==", "active");
  const { docs } = await tx.get(active.orderBy("expiresAt").limit(MAX_HOLDS_TAKEN));
  const requests: NewTransaction[] = [];
  const changed = new Map<string, Hold>();
  let missing = amount;
  for (const document of docs) {
    const current = document.data();
    const part = Math.min(missing, sum(current.lots));
    if (part === 0) continue;
    missing -= part;
    const { taken, left } = takeLots(current.lots, part, currencyOf(currency).spendOrder);
    const request: NewTransaction = {
      key: `free ${document.id} ${key}`,
      kind: "release",
      postings: postingsOf(current, taken, [{ to: owner, amount: part }]),
      reference: `hold:${document.id}`,
      metadata: { hold: document.id },
    };
    requests.push(request);
    const id = transactionId(request.key);
    const print = fingerprint({ kind: "release", hold: document.id, amount: part, reference: request.reference });
    changed.set(document.id, after(current, { kind: "release", id, amount: part, print, lots: left }));
  }
  return {
    requests,
    write: () => {
      for (const [id, hold] of changed) tx.set(holds().doc(id), hold);
    },
  };
}

interface Part {
  readonly to: string;
  readonly amount: number;
  readonly as?: LotKind;
}

/** Takes an amount out of a hold. */
function move(
  kind: Kind & ("capture" | "release"),
  request: Capture | Release,
  parts: (amount: number, hold: Hold) => readonly Part[],
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
      const left = current.amount - current.captured - current.released;
      const amount = wanted ?? left;
      checkMove(current, amount, left);
      const { taken, left: rest } = takeLots(current.lots, amount, currencyOf(current.currency).spendOrder);
      const postings = postingsOf(current, taken, parts(amount, current));
      const newTransaction = { key, kind, postings, reference, metadata: { ...metadata, hold: holdId } };
      const books = new Books();
      for (const [account, state] of await getAll(tx, accounts(), accountsOf(newTransaction)))
        books.load(account, state);
      const entry = books.enter(newTransaction);
      tx.create(transactions().doc(id), entry.record);
      for (const [account, state] of entry.accounts) tx.set(accounts().doc(account), state);
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

function keyReused(): Failure {
  return new Failure("already-exists", "This key was used for another request.", { reason: "idempotency-key-reused" });
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

/** A posting for each part, each with lots of its own. */
function postingsOf(current: Hold, lots: readonly Lot[], parts: readonly Part[]): NewPosting[] {
  const { owner, currency } = current;
  let rest = lots;
  return parts.map(({ to, amount, as }) => {
    const { taken, left } = takeLots(rest, amount, currencyOf(currency).spendOrder);
    rest = left;
    return { from: heldBy(owner), to, amount, currency, lots: taken, ...(as ? { as } : {}) };
  });
}

function after(
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

async function readHold(tx: Transaction, id: string): Promise<Hold> {
  const current = (await tx.get(holds().doc(id))).data();
  if (!current) throw new Failure("not-found", "There is no such hold.", { reason: "unknown-hold" });
  return current;
}

const EXPIRY_PAGE = 100;
const MAX_EXPIRY_PAGES = 20;

/** Releases what is left of holds whose time is over. For a schedule; bounded, the rest is for the next time. Returns how many. */
export async function expireHolds(): Promise<number> {
  const due = holds().where("state", "==", "active").where("expiresAt", "<=", timestamp()).orderBy("expiresAt");
  let count = 0;
  for (let page = 0; page < MAX_EXPIRY_PAGES; page++) {
    const { docs } = await due.limit(EXPIRY_PAGE).get();
    for (const { id } of docs) {
      await release({ key: `expiry ${id}`, hold: id, reference: `hold:${id}`, metadata: { expired: true } }).catch(
        passClosed,
      );
    }
    count += docs.length;
    if (docs.length < EXPIRY_PAGE) break;
  }
  return count;
}

/** Somebody was quicker. */
function passClosed(error: unknown): void {
  if (!(error instanceof Failure && error.reason === "hold-closed")) throw error;
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
