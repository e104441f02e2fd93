import { millisSince } from "../../inspect/millis.ts";
import type { RequestBill, Requests } from "../../inspect/requests.ts";
import type { Caller } from "../access/caller.ts";
import type { Usage } from "../usage.ts";
import type { CodeName, StatusError } from "../wire/status.ts";
import { type Subject, subjectOf } from "./subject.ts";

/** An aggregation bills one read for each batch of up to this many index entries. */
const ENTRIES_PER_READ = 1_000;
/** Of the statements of rules that are remembered of one request. */
const MAX_RULES_LENGTH = 1_500;

const NOTHING = {};

/** How a request comes to the server. */
export type Via = "gRPC" | "REST" | "WebChannel";

/** Where it is written down what was asked, and what it costs. */
interface Books {
  readonly usage: Usage;
  readonly requests: Requests;
}

/**
 * A request while it is served: who asks, what it is about, what it is billed and which rules decided it. What becomes of it is written
 * down when it ends. A listener's goes on: it ends once for each thing that the listener is told.
 */
export class Call {
  readonly caller: Caller;
  readonly #books: Books | undefined;
  readonly #via: Via;
  #request: object;
  #method: string;
  #subject: Subject | undefined;
  /** A line for each statement that has allowed something. */
  #rules: string | undefined;
  /** Undefined for what a listener is told as it happens. */
  #began: number | undefined = performance.now();
  #reads = 0;
  #writes = 0;
  #deletes = 0;

  /** @param books undefined: a look that is neither written down nor billed */
  constructor(books: Books | undefined, asked: { caller: Caller; via: Via; method: string; request: object }) {
    this.#books = books;
    this.caller = asked.caller;
    this.#via = asked.via;
    this.#method = asked.method;
    this.#request = asked.request;
  }

  /** One of several things that the same caller asks on one stream. */
  another(method: string, request: object): Call {
    return new Call(this.#books, { caller: this.caller, via: this.#via, method, request });
  }

  get isBilled(): boolean {
    return this.#reads + this.#writes + this.#deletes > 0;
  }

  /** Documents looked up by name: one read each, found or not. */
  lookedUp(documents: number): void {
    this.#bill({ reads: documents, writes: 0, deletes: 0 });
  }

  /** A query: one read for each document, returned or passed over by an offset, and at least one. */
  queried(documents: number): void {
    this.lookedUp(Math.max(1, documents));
  }

  /** An aggregation: one read for each 1,000 index entries or part thereof, and at least one. */
  aggregated(entries: number): void {
    this.lookedUp(Math.max(1, Math.ceil(entries / ENTRIES_PER_READ)));
  }

  /** A request that lists collection ids or partitions: one read. */
  listed(): void {
    this.lookedUp(1);
  }

  /** Writes that were committed, those that changed nothing included. */
  wrote(writes: number, deletes: number): void {
    this.#bill({ reads: 0, writes, deletes });
  }

  /** A statement of the rules has allowed it, or a part of it. */
  allowedBy(statement: string): void {
    if (this.#rules === undefined) this.#rules = statement;
    else if (!this.#rules.includes(statement) && this.#rules.length < MAX_RULES_LENGTH) this.#rules += `\n${statement}`;
  }

  /** It went well. */
  end(): void {
    this.#write("OK", this.#rules);
  }

  fail({ status, message }: StatusError): void {
    this.#write(status, status === "PERMISSION_DENIED" ? message.trim() : undefined);
  }

  /** What follows is another thing that the same listener is told. */
  goOn(method: string): void {
    this.#method = method;
    this.#rules = undefined;
    this.#reads = this.#writes = this.#deletes = 0;
    this.#began = undefined;
  }

  #bill(bill: RequestBill): void {
    this.#reads += bill.reads;
    this.#writes += bill.writes;
    this.#deletes += bill.deletes;
    this.#books?.usage.add(bill);
  }

  #write(status: CodeName, rule: string | undefined): void {
    const requests = this.#books?.requests;
    if (!requests) return;
    this.#subject ??= subjectOf(this.#request, this.#method);
    // A listener's lives on, and is not to hold what was asked.
    this.#request = NOTHING;
    const subject = this.#subject;
    const bill = { reads: this.#reads, writes: this.#writes, deletes: this.#deletes };
    requests.keep({
      id: requests.nextId(),
      at: Date.now(),
      service: "firestore",
      via: this.#via,
      method: this.#method,
      database: subject.database,
      subject: subject.words,
      ...byWhom(this.caller),
      status,
      isDenied: status === "PERMISSION_DENIED",
      millis: this.#began === undefined ? 0 : millisSince(this.#began),
      bill,
      rule,
    });
    charge(requests, subject, bill);
  }
}

function byWhom(caller: Caller): { by: "server" | "user" | "nobody"; user: string | undefined } {
  if (caller.kind === "server") return { by: "server", user: undefined };
  return caller.auth ? { by: "user", user: caller.auth.uid } : { by: "nobody", user: undefined };
}

/** Puts each document's part down to its kind of path, and what is over, such as what rules have looked up, to the first. */
function charge(requests: Requests, { parts: [first, ...others] }: Subject, bill: RequestBill): void {
  if (!first) return;
  const left = { ...bill };
  for (const { path, bill: kind } of others) {
    const counter = `${kind}s` as const;
    if (left[counter] === 0) continue;
    left[counter]--;
    requests.charge(path, { reads: 0, writes: 0, deletes: 0, [counter]: 1 }, 0);
  }
  requests.charge(first.path, left, 1);
}
