import type { Invocations } from "./invocations.ts";
import { costOf, PRICES } from "./prices.ts";
import type { PathBill, RequestBill } from "./requests.ts";
import type { DatabaseUsage, FirestoreBill, Sources } from "./sources.ts";

/** What all that has run was billed, since the start or since a mark. */
export interface Bill extends RequestBill {
  /** ISO 8601. */
  readonly since: string;
  readonly database: DatabaseUsage;
  readonly functions: { readonly calls: number; readonly failed: number };
  /** Dollars, by {@link PRICES}. */
  readonly cost: number;
  /** By kind of path, the dearest first. */
  readonly paths: readonly (PathBill & { readonly cost: number })[];
  readonly prices: typeof PRICES;
}

interface Reading {
  readonly at: number;
  readonly firestore: FirestoreBill;
  readonly database: DatabaseUsage;
  readonly functions: { readonly calls: number; readonly failed: number };
}

const MAX_MARKS = 100;

/** Reads the meters of all emulators, and remembers what they showed at marks. */
export class Bills {
  readonly #sources: Sources;
  readonly #invocations: Invocations;
  readonly #marks = new Map<string, Reading>();
  readonly #start: Reading = {
    at: Date.now(),
    firestore: { total: { reads: 0, writes: 0, deletes: 0 }, paths: [] },
    database: { bytesDown: 0, connections: 0 },
    functions: { calls: 0, failed: 0 },
  };
  #nextMark = 1;

  constructor(sources: Sources, invocations: Invocations) {
    this.#sources = sources;
    this.#invocations = invocations;
  }

  /** Starts a count of its own; {@link since} reads it. The oldest mark is dropped when there are too many. */
  async mark(): Promise<string> {
    const id = String(this.#nextMark++);
    this.#marks.set(id, await this.#read());
    const oldest = this.#marks.keys().next().value;
    if (this.#marks.size > MAX_MARKS && oldest !== undefined) this.#marks.delete(oldest);
    return id;
  }

  /** Without a mark since the start; undefined if there is no such mark. */
  async since(mark: string | undefined): Promise<Bill | undefined> {
    const from = mark === undefined ? this.#start : this.#marks.get(mark);
    return from && difference(from, await this.#read());
  }

  async #read(): Promise<Reading> {
    const [firestore, database] = await Promise.all([this.#sources.firestoreBill(), this.#sources.databaseUsage()]);
    return { at: Date.now(), firestore, database, functions: this.#invocations.total };
  }
}

function difference(from: Reading, to: Reading): Bill {
  const bytesDown = to.database.bytesDown - from.database.bytesDown;
  const operations = minus(to.firestore.total, from.firestore.total);
  const before = new Map(from.firestore.paths.map((bill) => [bill.path, bill]));
  const paths = to.firestore.paths
    .map((bill) => pathMinus(bill, before.get(bill.path)))
    .filter(({ requests, reads, writes, deletes }) => requests + reads + writes + deletes > 0)
    .sort((a, b) => b.cost - a.cost || b.requests - a.requests);
  return {
    since: new Date(from.at).toISOString(),
    ...operations,
    database: { bytesDown, connections: to.database.connections },
    functions: {
      calls: to.functions.calls - from.functions.calls,
      failed: to.functions.failed - from.functions.failed,
    },
    cost: costOf({ ...operations, bytesDown }),
    paths,
    prices: PRICES,
  };
}

function pathMinus(bill: PathBill, before: PathBill | undefined): Bill["paths"][number] {
  const operations = before ? minus(bill, before) : minus(bill, { reads: 0, writes: 0, deletes: 0 });
  const requests = bill.requests - (before?.requests ?? 0);
  return { path: bill.path, requests, ...operations, cost: costOf({ ...operations, bytesDown: 0 }) };
}

function minus(a: RequestBill, b: RequestBill): RequestBill {
  return { reads: a.reads - b.reads, writes: a.writes - b.writes, deletes: a.deletes - b.deletes };
}
