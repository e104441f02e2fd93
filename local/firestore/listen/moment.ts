import type { FieldPath } from "../model/path.ts";
import { Timestamp } from "../model/value.ts";
import { toWire } from "../rpc/view.ts";
import type { Database } from "../store/database.ts";
import { type ListenResponse, TargetChangeType } from "../wire/messages.ts";
import { resumeToken } from "./resume.ts";

const MAX_SHARED = 1_000;

/** Up to when a client has seen everything. */
export interface Seen {
  readonly resumeToken: Uint8Array;
  readonly readTime: Timestamp;
}

/**
 * A database between two commits, as listeners are told of it. What is said to many is made once, and is one object, so that it is
 * encoded once.
 */
export class Moment {
  readonly seen: Seen;
  /** Says that all targets of a stream show this moment. */
  readonly closing: ListenResponse;
  readonly #database: Database;
  readonly #shared = new Map<string, ListenResponse>();

  constructor(database: Database) {
    const time = database.tick();
    this.#database = database;
    this.seen = { resumeToken: resumeToken(database, time), readTime: Timestamp.fromMicros(time) };
    this.closing = { targetChange: { targetChangeType: TargetChangeType.NO_CHANGE, targetIds: [], ...this.seen } };
  }

  /** Tells of a document: to which targets it belongs now, and to which no more. */
  document(path: string, targetIds: readonly number[], rest: Telling): ListenResponse {
    if (rest.projection) return this.#make(path, targetIds, rest);
    const key = `${targetIds}-${rest.removedTargetIds}${rest.hidesLeft ? "!" : ""} ${path}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const made = this.#make(path, targetIds, rest);
    if (this.#shared.size < MAX_SHARED) this.#shared.set(key, made);
    return made;
  }

  #make(
    path: string,
    targetIds: readonly number[],
    { removedTargetIds, projection, hidesLeft }: Telling,
  ): ListenResponse {
    const { name } = this.#database;
    const version = this.#database.get(path);
    const gone = { document: `${name}/documents/${path}`, removedTargetIds, readTime: this.seen.readTime };
    if (!version) return { documentDelete: gone };
    if (hidesLeft && targetIds.length === 0) return { documentRemove: gone };
    return { documentChange: { document: toWire(name, { path, version }, projection), targetIds, removedTargetIds } };
  }
}

interface Telling {
  readonly removedTargetIds: readonly number[];
  readonly projection?: readonly FieldPath[] | undefined;
  /** Whether a document that has left all targets is named only: nothing proves that the client may read what it is now. */
  readonly hidesLeft: boolean;
}
