import type { Data } from "../durability/data.ts";
import { Requests } from "../inspect/requests.ts";
import { SecurityRules } from "./access/security-rules.ts";
import { RequiredIndexes } from "./indexes/required.ts";
import { Views } from "./listen/views.ts";
import { parseDatabase } from "./model/path.ts";
import { Clock } from "./store/clock.ts";
import { type Commit, Database } from "./store/database.ts";
import type { RetentionLimits } from "./store/retention.ts";
import { type TransactionLimits, Transactions } from "./transactions/transactions.ts";
import { Usage } from "./usage.ts";
import { StatusError } from "./wire/status.ts";

const MAX_DATABASES = 1_000;

export interface FirestoreOptions {
  /** Delay of every read and commit in milliseconds, for benches: production has one. */
  readonly latencyMillis?: number;
  readonly retention?: Partial<RetentionLimits>;
  readonly transactions?: Partial<TransactionLimits>;
}

/** A database, the transactions that are open on it, and what clients listen to. */
export interface OpenDatabase {
  readonly database: Database;
  readonly transactions: Transactions;
  readonly views: Views;
}

/** All databases of all projects that clients have named so far, with one clock and one bill. */
export class Firestore {
  readonly clock = new Clock();
  readonly usage = new Usage();
  readonly requests = new Requests();
  readonly rules = new SecurityRules();
  readonly indexes = new RequiredIndexes();
  /** Where it is kept on disk; memory alone otherwise. */
  data: Data | undefined;
  /** May be turned while it runs. */
  latencyMillis: number;
  readonly #options: FirestoreOptions;
  readonly #databases = new Map<string, OpenDatabase>();
  readonly #subscribers = new Set<(commit: Commit) => void>();

  constructor(options: FirestoreOptions = {}) {
    this.#options = options;
    this.latencyMillis = options.latencyMillis ?? 0;
  }

  /** The database of this name (`projects/p/databases/d`); made when it is first named. */
  open(name: string): OpenDatabase {
    const known = this.#databases.get(parseDatabase(name));
    if (known) return known;
    if (this.#databases.size >= MAX_DATABASES) {
      throw new StatusError("RESOURCE_EXHAUSTED", `At most ${MAX_DATABASES} databases can be open.`);
    }
    const database = new Database(name, this.clock, this.#options.retention);
    database.subscribe((commit) => {
      for (const subscriber of this.#subscribers) subscriber(commit);
    });
    const open: OpenDatabase = {
      database,
      transactions: new Transactions(database, this.#options.transactions),
      views: new Views(database),
    };
    this.#databases.set(name, open);
    return open;
  }

  /** The names of those that there are. */
  names(): string[] {
    return [...this.#databases.keys()];
  }

  /** Deletes everything in every database, and ends the transactions that have read it. */
  clear(): void {
    for (const open of this.#databases.values()) clearDatabase(open);
  }

  /** Called after every commit on any database. Returns the way to stop. */
  subscribe(subscriber: (commit: Commit) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  close(): void {
    for (const { transactions } of this.#databases.values()) transactions.close();
  }
}

/** Deletes everything in a database, and ends the transactions that have read it: what they hold locks on is gone. */
export function clearDatabase({ database, transactions }: OpenDatabase): void {
  transactions.close();
  database.clear();
}
