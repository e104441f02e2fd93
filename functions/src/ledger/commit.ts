import { setTimeout as sleep } from "node:timers/promises";
import { readDocuments } from "../platform/direct/index.ts";
import { busy, Failure, keyReused } from "../platform/failure.ts";
import { checked, isAlreadyExists, isChangedMeanwhile, isTransient, transact } from "../platform/firestore.ts";
import { fold, scheduleFolds } from "./fold.ts";
import { isKnownHot } from "./hot.ts";
import { type Also, type Asked, type Judged, judgeLocked, rememberWritten } from "./judge.ts";
import { disappointed, forget } from "./memory.ts";
import { TransactionRecord, transactions } from "./records.ts";
import { canRely, commitRelying } from "./relied-on.ts";
import { accountsOf, checkRequest, fingerprintOf, type NewTransaction, onlyGiven, transactionId } from "./request.ts";

/**
 * Group commit. Transactions that meet in one instance are made together: their accounts are read at once, or remembered, they are judged in
 * memory, in the order in which they came, and written in one commit. Whoever shares an account with a commit that is under way waits for
 * it, so that an instance never stands in its own way; what is refused drops out and holds nobody up.
 *
 * No lock is taken, but the commit fails if anything was changed meanwhile; then it is read and judged anew, and made under lock only if that
 * goes on. That a key was used before is seen by its document being there, and only then looked up. One that comes when nothing else is
 * under way has its key looked up first, so that a repeated request costs one read.
 */

/** Transactions of one commit. */
const MAX_BATCH = 100;
/** Commits under way at the same time. */
const MAX_PARALLEL = 4;
/** A second one is begun at once for so many, so that Firestore and this process work at the same time; fewer wait, for each has its own cost… */
const WORTH_ANOTHER = 16;
/** …but not longer than this: what it does may take it long. */
const MAX_GATHERING_MILLIS = 15;
/**
 * Those who were answered together often come again together. So when none is under way, a commit is not begun with the first of them, but
 * with as many as the last one had, or this many…
 */
const ENOUGH_COMPANY = 16;
/** …if they come this soon after it. Whoever comes later, or was alone before, waits for nobody. */
const COMPANY_MILLIS = 5;
/** Transactions that wait in this instance. */
const MAX_WAITING = 5_000;
/** The client's own second try waits for a second, in which hundreds could be made. */
const ATTEMPTS_OF_CLIENT = 1;
/**
 * What others were in the way of waits for a random time before it is committed anew: as long as the try took, but this at least, and twice
 * as long with each round, up to the last.
 */
const MIN_RETRY_MILLIS = 10;
const MAX_RETRY_MILLIS = 500;
/** What was tried so often without locks is made under lock: what others do at the same time then has to wait for it. */
const MAX_DISAPPOINTMENTS = 2;
/** How often what shared a commit with a key that was taken is committed anew. */
const MAX_ROUNDS = 20;
/** Past this a caller is told `busy`. What has begun goes on; the key tells later what became of it. */
const PATIENCE_MILLIS = 10_000;

/** A transaction as it is stored. */
export interface Committed {
  readonly id: string;
  readonly record: TransactionRecord;
}

interface Waiting extends Asked {
  readonly settled: PromiseWithResolvers<Committed>;
  /** How often it could not be made without locks. */
  disappointments: number;
  isOver: boolean;
  /** Whether the commit that it was part of could not be made at all, perhaps because of it: it is committed apart from others. */
  isAlone: boolean;
  rounds: number;
}

/** By transaction id: who asks for what is under way waits for it. */
const underWay = new Map<string, Waiting>();
const toCommit: Waiting[] = [];
const busyAccounts = new Set<string>();
let commits = 0;
let isPumping = false;
let gathering: NodeJS.Timeout | undefined;
let isLingering = false;
let last = { size: 0, endedAt: Number.NEGATIVE_INFINITY };

/** Makes a transaction together with others; see `post`. What a hot account has not been given yet is folded in if it is needed. */
export async function commit(request: NewTransaction, also?: Also): Promise<Committed> {
  try {
    return await commitOnce(request, also);
  } catch (error) {
    const isShort = error instanceof Failure && error.reason === "insufficient-funds";
    const hot = isShort ? accountsOf(request).filter(isKnownHot) : [];
    const folded = await Promise.all(hot.map(fold));
    if (!folded.some((count) => count > 0)) throw error;
    return await commitOnce(request, also);
  }
}

async function commitOnce(request: NewTransaction, also: Also | undefined): Promise<Committed> {
  checkRequest(request);
  const id = transactionId(request.key);
  const fingerprint = fingerprintOf(request);
  const same = underWay.get(id);
  if (same) {
    if (same.fingerprint !== fingerprint) throw keyReused();
    return await patiently(same.settled.promise);
  }
  if (underWay.size >= MAX_WAITING) throw busy();
  const settled = Promise.withResolvers<Committed>();
  // Whoever has lost patience does not hear of it any more.
  settled.promise.catch(() => undefined);
  const hot = onlyGiven(request, isKnownHot);
  const waiting: Waiting = {
    id,
    request,
    fingerprint,
    hot,
    accounts: accountsOf(request).filter((account) => !hot.has(account)),
    also,
    settled,
    disappointments: 0,
    isOver: false,
    isAlone: false,
    rounds: 0,
  };
  const isAlone = underWay.size === 0 && !hadCompany();
  underWay.set(id, waiting);
  if (isAlone) void lookUp(waiting);
  else toCommit.push(waiting);
  pumpSoon();
  return await patiently(settled.promise);
}

/** Starts whatever can be started, once what has arrived together is there. */
function pumpSoon(): void {
  if (isPumping) return;
  isPumping = true;
  setImmediate(() => {
    isPumping = false;
    pump();
  });
}

/** @param isPatient whether few wait for what is under way */
function pump(isPatient = true): void {
  while (mayStart(isPatient)) {
    const batch = nextBatch();
    if (batch.length === 0) break;
    commits++;
    void make(batch).finally(() => {
      commits--;
      last = { size: batch.length, endedAt: performance.now() };
      for (const account of batch.flatMap((one) => one.accounts)) busyAccounts.delete(account);
      pumpSoon();
    });
  }
  if (toCommit.length === 0 || commits >= MAX_PARALLEL) return;
  if (commits === 0) linger();
  else gather();
}

function mayStart(isPatient: boolean): boolean {
  if (toCommit.length === 0 || commits >= MAX_PARALLEL) return false;
  if (toCommit.length >= WORTH_ANOTHER || !isPatient) return true;
  return commits === 0 && (toCommit.length >= Math.min(last.size, ENOUGH_COMPANY) || !hadCompany());
}

/** Whether several have been answered together just now. */
function hadCompany(): boolean {
  return last.size > 1 && performance.now() - last.endedAt < COMPANY_MILLIS;
}

function linger(): void {
  if (isLingering) return;
  isLingering = true;
  setTimeout(() => {
    isLingering = false;
    pump();
  }, COMPANY_MILLIS);
}

function gather(): void {
  if (gathering) return;
  gathering = setTimeout(() => {
    gathering = undefined;
    pump(false);
  }, MAX_GATHERING_MILLIS);
}

/** Those that have waited longest and touch nothing that is being committed, nor what an earlier one waits for. */
function nextBatch(): Waiting[] {
  const batch: Waiting[] = [];
  const blocked = new Set<string>();
  for (let i = 0; i < toCommit.length && batch.length < MAX_BATCH && !batch[0]?.isAlone; ) {
    const one = toCommit[i] as Waiting;
    if (batch.length > 0 && one.isAlone) break;
    if (one.accounts.some((account) => busyAccounts.has(account) || blocked.has(account))) {
      for (const account of one.accounts) blocked.add(account);
      i++;
    } else {
      batch.push(one);
      toCommit.splice(i, 1);
    }
  }
  for (const account of batch.flatMap((one) => one.accounts)) busyAccounts.add(account);
  return batch;
}

async function lookUp(one: Waiting): Promise<void> {
  try {
    const record = (await stored([one])).get(one.id);
    if (record) return answer(one, record);
    toCommit.push(one);
    pumpSoon();
  } catch (error) {
    fail(one, error);
  }
}

async function stored(batch: readonly Waiting[]): Promise<Map<string, TransactionRecord>> {
  const ofTransactions = transactions();
  const paths = batch.map(({ id }) => ofTransactions.doc(id).path);
  const records = new Map<string, TransactionRecord>();
  for (const [i, found] of (await readDocuments(paths)).entries()) {
    const { id } = batch[i] as Waiting;
    if (found) records.set(id, checked(TransactionRecord, paths[i] as string, found.fields));
  }
  return records;
}

/** Commits a batch, and again without those that others have made meanwhile. */
async function make(batch: readonly Waiting[]): Promise<void> {
  const began = performance.now();
  const relies = canRely(batch) && batch.every((one) => one.disappointments < MAX_DISAPPOINTMENTS);
  try {
    const { made, refused } = await (relies ? rely(batch) : lock(batch));
    await scheduleFolds(made.flatMap(({ entry }) => [...entry.incoming.values()].map(({ account }) => account)));
    for (const { one, entry } of made) settle(one, entry);
    if (refused.length > 0) await refuse(refused);
  } catch (error) {
    if (relies && isDisappointed(batch, error)) return;
    if (isTransient(error)) await pause(batch, performance.now() - began);
    await recover(batch, error);
  }
}

async function lock(batch: readonly Waiting[]): Promise<Judged<Waiting>> {
  const judged = await transact((tx) => judgeLocked(tx, batch), ATTEMPTS_OF_CLIENT);
  rememberWritten(judged.changed);
  return judged;
}

async function rely(batch: readonly Waiting[]): Promise<Judged<Waiting>> {
  const { unsure, ...judged } = await commitRelying(batch);
  anew(unsure);
  return judged;
}

/** Whoever fails by relying on what is remembered reads it anew. Whether that was it, and they wait for it already. */
function isDisappointed(batch: readonly Waiting[], error: unknown): boolean {
  if (isChangedMeanwhile(error)) {
    disappointed(batch.flatMap(({ accounts }) => accounts));
    anew(batch);
    return true;
  }
  for (const account of batch.flatMap(({ accounts }) => accounts)) forget(account);
  return false;
}

/** Puts those first in line again that were judged by what is not so any more, in their order. */
function anew(batch: readonly Waiting[]): void {
  for (const one of batch.toReversed()) {
    one.disappointments++;
    for (const account of one.accounts) forget(account);
    again(one, undefined);
  }
}

/** What is refused may have been made by another instance since its key was looked up, and not fit any more for just that reason. */
async function refuse(refused: Judged<Waiting>["refused"]): Promise<void> {
  const found = await stored(refused.map(({ one }) => one));
  for (const { one, error } of refused) {
    const record = found.get(one.id);
    if (record) answer(one, record);
    else fail(one, error);
  }
}

/** Nothing of a batch was written, as far as is known. What is there all the same is answered, the rest is committed anew or fails. */
async function recover(batch: readonly Waiting[], error: unknown): Promise<void> {
  const left = batch.filter(({ isOver }) => !isOver);
  if (!isAlreadyExists(error) && !isTransient(error)) {
    apart(left, error);
    return;
  }
  try {
    const found = await stored(left);
    for (const one of left.toReversed()) again(one, found.get(one.id));
  } catch (problem) {
    for (const one of left) fail(one, problem);
  }
}

/** Of those that could not be committed at all one may be to blame, as one that is too large: the others are made without it. */
function apart(batch: readonly Waiting[], error: unknown): void {
  for (const one of batch.toReversed()) {
    if (batch.length === 1) fail(one, error);
    else toCommit.unshift(Object.assign(one, { isAlone: true }));
  }
}

async function pause(batch: readonly Waiting[], tookMillis: number): Promise<void> {
  const rounds = Math.max(...batch.map((one) => one.rounds));
  const longest = Math.max(MIN_RETRY_MILLIS, tookMillis) * 2 ** rounds;
  await sleep(Math.random() * Math.min(MAX_RETRY_MILLIS, longest));
}

function again(one: Waiting, record: TransactionRecord | undefined): void {
  one.rounds++;
  if (record) answer(one, record);
  else if (one.rounds < MAX_ROUNDS) toCommit.unshift(one);
  else fail(one, busy());
}

/** Answers with what is stored under the key, if it is what was asked for. */
function answer(one: Waiting, record: TransactionRecord): void {
  if (record.fingerprint === one.fingerprint) settle(one, { id: one.id, record });
  else fail(one, keyReused());
}

function settle(one: Waiting, { id, record }: Committed): void {
  end(one);
  one.settled.resolve({ id, record });
}

function fail(one: Waiting, error: unknown): void {
  end(one);
  one.settled.reject(error);
}

function end(one: Waiting): void {
  one.isOver = true;
  underWay.delete(one.id);
}

async function patiently<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(busy()), PATIENCE_MILLIS);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}
