import * as z from "zod";
import { Flag, Natural } from "./parameters.ts";
import { Ring } from "./ring.ts";

/** What an emulator remembers of the requests to it, for people to look at. Never what was sent or answered, nor a token. */

/** One request, or what a listener was told at one time. */
export interface RequestRecord {
  /** Counts up within an emulator. */
  readonly id: number;
  /** When it had been answered, in milliseconds since the epoch. */
  readonly at: number;
  readonly service: "firestore" | "database";
  /** How it came: `gRPC`, `REST`, `WebChannel`, `WebSocket`. */
  readonly via: string;
  readonly method: string;
  /** `projects/p/databases/d`, or the name of a Realtime Database. */
  readonly database: string;
  /** The document or place, or the query in short words, without values. */
  readonly subject: string;
  /** Rules do not hold for a `server`; a `user` has an id; `nobody` is not signed in. */
  readonly by: "server" | "user" | "nobody";
  readonly user?: string | undefined;
  readonly status: string;
  readonly isDenied: boolean;
  readonly millis: number;
  /** Absent where operations are not what is billed. */
  readonly bill?: RequestBill;
  /** The rules that allowed it, a line each. Or why it was denied, in the words that the client is told. */
  readonly rule?: string | undefined;
}

/** Operations of Firestore. */
export interface RequestBill {
  readonly reads: number;
  readonly writes: number;
  readonly deletes: number;
}

/** What was asked of one kind of path, such as `users/{}/items`. */
export interface PathBill extends RequestBill {
  readonly path: string;
  readonly requests: number;
}

const MAX_RECORDS = 2_000;
/** Kept besides, so that a flood of what is allowed does not wash them away. */
const MAX_DENIED = 300;
const MAX_PATHS = 300;
/** Where the rest is counted when there are more kinds of paths. */
const OTHERS = "(others)";

/** Which of the records are wanted. */
export const RequestFilter = z.object({
  denied: Flag,
  /** Part of the subject. */
  path: z.string().max(1_500).default(""),
  /** A user's id, or `server` or `nobody`. */
  user: z.string().max(200).default(""),
  /** Only what came after the record of this id. */
  after: Natural.default(0),
  limit: Natural.min(1).max(MAX_RECORDS).default(200),
});
export type RequestFilter = z.infer<typeof RequestFilter>;

/** Whether a record is one of those that are wanted. */
function isWanted(record: RequestRecord, { denied, path, user, after }: RequestFilter): boolean {
  if (record.id <= after || (denied && !record.isDenied)) return false;
  if (path !== "" && !record.subject.includes(path)) return false;
  return user === "" || record.user === user || (record.user === undefined && record.by === user);
}

/** The requests to one emulator. */
export class Requests {
  readonly #recent = new Ring<RequestRecord>(MAX_RECORDS);
  readonly #denied = new Ring<RequestRecord>(MAX_DENIED);
  readonly #bills = new Map<string, { requests: number; reads: number; writes: number; deletes: number }>();
  #lastId = 0;

  /** The id that the next record is to have. */
  nextId(): number {
    return ++this.#lastId;
  }

  keep(record: RequestRecord): void {
    (record.isDenied ? this.#denied : this.#recent).push(record);
  }

  /** Puts a part of a bill down to a kind of path. */
  charge(path: string, { reads, writes, deletes }: RequestBill, requests: number): void {
    let bill = this.#bills.get(path);
    if (!bill) {
      const key = this.#bills.size < MAX_PATHS ? path : OTHERS;
      bill = this.#bills.get(key) ?? { requests: 0, reads: 0, writes: 0, deletes: 0 };
      this.#bills.set(key, bill);
    }
    bill.requests += requests;
    bill.reads += reads;
    bill.writes += writes;
    bill.deletes += deletes;
  }

  /** The last of those that are wanted, oldest first. */
  list(filter: RequestFilter): RequestRecord[] {
    const kept = [...this.#denied, ...(filter.denied ? [] : this.#recent)];
    return kept
      .filter((record) => isWanted(record, filter))
      .sort((a, b) => a.id - b.id)
      .slice(-filter.limit);
  }

  get bills(): PathBill[] {
    return [...this.#bills].map(([path, bill]) => ({ path, ...bill }));
  }
}
