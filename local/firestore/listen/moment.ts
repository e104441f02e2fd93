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
  document(
    path: string,
    targetIds: readonly number[],
    {
      removedTargetIds,
      projection,
    }: { removedTargetIds: readonly number[]; projection?: readonly FieldPath[] | undefined },
  ): ListenResponse {
    if (projection) return this.#make(path, targetIds, { removedTargetIds, projection });
    const key = `${targetIds}-${removedTargetIds} ${path}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const made = this.#make(path, targetIds, { removedTargetIds });
    if (this.#shared.size < MAX_SHARED) this.#shared.set(key, made);
    return made;
  }

  #make(
    path: string,
    targetIds: readonly number[],
    { removedTargetIds, projection }: { removedTargetIds: readonly number[]; projection?: readonly FieldPath[] },
  ): ListenResponse {
    const { name } = this.#database;
    const version = this.#database.get(path);
    if (version) {
      const document = toWire(name, { path, version }, projection);
      return { documentChange: { document, targetIds, removedTargetIds } };
    }
    const document = `${name}/documents/${path}`;
    return { documentDelete: { document, removedTargetIds, readTime: this.seen.readTime } };
  }
}
