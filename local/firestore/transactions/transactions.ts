import { randomBytes } from "node:crypto";
import { documentPath } from "../model/path.ts";
import type { Fields } from "../model/value.ts";
import { documentOf, type Judge, type Outcome, workOut } from "../store/batch.ts";
import { checkVerifications } from "../store/check.ts";
import type { Database } from "../store/database.ts";
import type { TransactionOptions, Write } from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";
import { contention, type LockOptions, Locks, type Mode, type Owner, type Resource } from "./locks.ts";

/** How long transactions may take. Source: https://firebase.google.com/docs/firestore/quotas#writes_and_transactions */
export interface TransactionLimits extends LockOptions {
  /** Without a request, in milliseconds. */
  readonly idleMillis: number;
  /** In all, in milliseconds. */
  readonly totalMillis: number;
}

const IDLE_MILLIS = 60_000;
const TOTAL_MILLIS = 270_000;
const SWEEP_MILLIS = 250;
const MAX_REMEMBERED_LOSERS = 10_000;
/** Half of a transaction's id says whose it is, the other half which. */
const HALF_ID_BYTES = 8;

/** What a query of a transaction has seen: no other commit may change it until the transaction ends. */
export interface Predicate {
  /** Names the query's scope, for retries that contend on it. */
  readonly resource: Resource;
  /** Whether a document at this path could be in the result at all. */
  covers(path: string): boolean;
  /** Whether this change would change the result. */
  affectedBy(change: { path: string; before: Fields | null; after: Fields | null }): boolean;
}

/** A transaction that a client has begun. */
export class Transaction implements Owner {
  readonly id: Uint8Array;
  readonly age: number;
  /** In microseconds, for read-only transactions: everything is read as it was at this time, without locks. */
  readonly readTime: number | undefined;
  /** Resources over which earlier tries of this transaction lost. They are locked exclusively when first read. */
  readonly contended: Set<Resource>;
  readonly predicates: Predicate[] = [];
  readonly begun = Date.now();
  used = Date.now();
  readonly #onLose: (transaction: Transaction) => void;

  constructor(start: {
    id: Uint8Array;
    age: number;
    readTime: number | undefined;
    contended: Iterable<Resource>;
    onLose: (transaction: Transaction) => void;
  }) {
    this.id = start.id;
    this.age = start.age;
    this.readTime = start.readTime;
    this.contended = new Set(start.contended);
    this.#onLose = start.onLose;
  }

  lose(resource: Resource): void {
    this.contended.add(resource);
    for (const predicate of this.predicates) this.contended.add(predicate.resource);
    this.#onLose(this);
  }
}

/** The transactions of one database: pessimistic for reading and writing, lock-free for reading alone. */
export class Transactions {
  readonly #database: Database;
  readonly #locks: Locks;
  readonly #idleMillis: number;
  readonly #totalMillis: number;
  /** What all ids begin with, so that one that has ended is known from one that never was. */
  readonly #series = randomBytes(HALF_ID_BYTES);
  readonly #active = new Map<string, Transaction>();
  /** Those that lost a conflict, for the retry that names them. */
  readonly #losers = new Map<string, { age: number; contended: ReadonlySet<Resource> }>();
  #nextAge = 1;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(database: Database, limits: Partial<TransactionLimits> = {}) {
    this.#database = database;
    this.#locks = new Locks(limits);
    this.#idleMillis = limits.idleMillis ?? IDLE_MILLIS;
    this.#totalMillis = limits.totalMillis ?? TOTAL_MILLIS;
  }

  begin(options: TransactionOptions = {}): Transaction {
    const { readOnly, readWrite } = options;
    const earlier = this.#earlier(readWrite?.retryTransaction);
    const readTime = readOnly && (readOnly.readTime?.toMicros() ?? this.#database.tick());
    if (readTime !== undefined) this.#database.checkReadTime(readTime);
    const transaction = new Transaction({
      id: Buffer.concat([this.#series, randomBytes(HALF_ID_BYTES)]),
      age: earlier ? earlier.age : this.#nextAge++,
      readTime,
      contended: earlier ? earlier.contended : [],
      onLose: (loser) => this.#remember(loser),
    });
    this.#active.set(keyOf(transaction.id), transaction);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MILLIS).unref();
    return transaction;
  }

  /** The transaction of this id; throws ABORTED where it has ended, and INVALID_ARGUMENT where there was none. */
  find(id: Uint8Array): Transaction {
    const transaction = this.#active.get(keyOf(id));
    if (!transaction) {
      this.#checkSeries(id);
      if (this.#losers.has(keyOf(id))) throw contention();
      throw new StatusError("ABORTED", "The referenced transaction has expired or is no longer valid.");
    }
    transaction.used = Date.now();
    return transaction;
  }

  #checkSeries(id: Uint8Array): void {
    const isOurs = id.length === 2 * HALF_ID_BYTES && this.#series.equals(id.subarray(0, HALF_ID_BYTES));
    if (!isOurs) throw invalidArgument("Invalid transaction.");
  }

  /** What is known of the try that this transaction repeats. */
  #earlier(id: Uint8Array | undefined): { age: number; contended: ReadonlySet<Resource> } | undefined {
    if (!id || id.length === 0) return undefined;
    this.#checkSeries(id);
    return this.#losers.get(keyOf(id));
  }

  /** Locks documents for reading; from then on nobody else changes them until the transaction ends. */
  async lockDocuments(transaction: Transaction, paths: readonly string[]): Promise<void> {
    if (transaction.readTime !== undefined) return;
    for (const path of [...paths].sort()) {
      await this.#locks.acquire(transaction, path, modeFor(transaction, path));
    }
  }

  /** Locks the result of a query for reading, documents that do not exist yet included. */
  async lockQuery(transaction: Transaction, predicate: Predicate): Promise<void> {
    if (transaction.readTime !== undefined) return;
    transaction.predicates.push(predicate);
    await this.#locks.acquire(transaction, predicate.resource, modeFor(transaction, predicate.resource));
    const writers = () => this.#locks.exclusiveHolders((resource) => predicate.covers(resource));
    while ([...writers()].some((owner) => owner !== transaction)) {
      await this.#locks.settle(transaction, predicate.resource, writers);
    }
  }

  /**
   * Commits writes, alone or as the end of a transaction, waiting for transactions that have read what they change.
   * The transaction has ended afterwards, unless the writes are such that they could never be made (INVALID_ARGUMENT).
   * @param judge decides whether they may be made
   */
  async commit(
    transaction: Transaction | undefined,
    writes: readonly Write[],
    judge?: Judge,
  ): Promise<Outcome & { time: number }> {
    const owner: Owner = transaction ?? { age: this.#nextAge++, lose: () => {} };
    let isOver = true;
    try {
      if (transaction?.readTime !== undefined && writes.length > 0) {
        throw invalidArgument("Cannot modify entities in a read-only transaction.");
      }
      checkVerifications(writes);
      await this.#lockWrites(owner, writes);
      return await this.#commitLocked(owner, writes, judge);
    } catch (error) {
      isOver = !(transaction && error instanceof StatusError && error.status === "INVALID_ARGUMENT");
      throw error;
    } finally {
      if (isOver) this.#end(owner);
    }
  }

  /** Ends a transaction without writing. */
  rollback(transaction: Transaction): void {
    this.#end(transaction);
  }

  /** Ends every transaction: of a database that is emptied, or shut down. */
  close(): void {
    for (const transaction of [...this.#active.values()]) this.rollback(transaction);
  }

  async #lockWrites(owner: Owner, writes: readonly Write[]): Promise<void> {
    const paths = new Set(writes.map((write) => documentPath(documentOf(write), this.#database.name)));
    for (const path of [...paths].sort()) await this.#locks.acquire(owner, path, "exclusive");
  }

  async #commitLocked(
    owner: Owner,
    writes: readonly Write[],
    judge: Judge | undefined,
  ): Promise<Outcome & { time: number }> {
    while (true) {
      const time = this.#database.tick();
      const outcome = workOut(this.#database, writes, time, judge);
      const conflict = this.#readersOf(outcome);
      conflict.delete(owner as Transaction);
      if (conflict.size === 0) {
        this.#database.apply(outcome.mutations, time, outcome.unchanged);
        return { ...outcome, time };
      }
      const resource = [...conflict][0]?.predicates[0]?.resource ?? "?";
      await this.#locks.settle(owner, resource, () => this.#readersOf(outcome));
    }
  }

  /** The transactions whose queries would have another result after these changes. */
  #readersOf(outcome: Outcome): Set<Transaction> {
    const readers = new Set<Transaction>();
    for (const reader of this.#active.values()) {
      if (reader.predicates.length === 0) continue;
      const affected = outcome.mutations.some(({ path, fields }) => {
        const change = { path, before: this.#database.get(path)?.fields ?? null, after: fields };
        return reader.predicates.some((predicate) => predicate.affectedBy(change));
      });
      if (affected) readers.add(reader);
    }
    return readers;
  }

  #remember(loser: Transaction): void {
    this.#losers.set(keyOf(loser.id), { age: loser.age, contended: loser.contended });
    const oldest = this.#losers.keys().next().value;
    if (this.#losers.size > MAX_REMEMBERED_LOSERS && oldest !== undefined) this.#losers.delete(oldest);
    this.rollback(loser);
  }

  #end(owner: Owner): void {
    if (owner instanceof Transaction) this.#forget(owner);
    // Last: whoever waits looks again now at what stands in the way.
    this.#locks.release(owner);
  }

  #forget(transaction: Transaction): void {
    this.#active.delete(keyOf(transaction.id));
    if (this.#active.size === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const transaction of [...this.#active.values()]) {
      const isOver = now - transaction.used > this.#idleMillis || now - transaction.begun > this.#totalMillis;
      if (isOver) this.rollback(transaction);
    }
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id).toString("latin1");
}

function modeFor(transaction: Transaction, resource: Resource): Mode {
  return transaction.contended.has(resource) ? "exclusive" : "shared";
}
