import { randomBytes } from "node:crypto";
import { after, idKey, pathPrefix, type SortKey } from "../model/order.ts";
import { joinPath, lastSegment, parentPath } from "../model/path.ts";
import { StatusError } from "../wire/status.ts";
import type { Clock } from "./clock.ts";
import { Collection, CollectionGroup } from "./collection.ts";
import { isLive, type LiveVersion, type StoredDocument, type Version, versionAt } from "./document.ts";
import { Index, type IndexField, indexId, type Scope } from "./index.ts";
import { Retention, type RetentionLimits } from "./retention.ts";
import { sortedMap } from "./sorted-map.ts";

const MAX_INDEXES = 500;
const EPOCH_BYTES = 8;

/** What a commit does to one document: its state before (undefined: there was none) and after (undefined: deleted). */
export interface Change {
  readonly path: string;
  readonly before: LiveVersion | undefined;
  readonly after: LiveVersion | undefined;
}

/** What one commit changed, all of it at one time. */
export interface Commit {
  readonly database: string;
  /** Microseconds since the epoch. */
  readonly time: number;
  readonly changes: readonly Change[];
  /** Documents that were written and stay as they were. */
  readonly unchanged: readonly string[];
  /** Whether all that there was is gone. */
  readonly isClearing?: boolean;
}

/** A document's new state; `fields` null deletes it. */
export interface Mutation {
  readonly path: string;
  readonly fields: Version["fields"];
  readonly bytes: number;
}

/**
 * One Firestore database in memory: collections in the order of their ids, indexes in the order of their values, and
 * superseded states for as long as reads in the past may ask for them. Everything here is synchronous, so that whatever reads or
 * writes without awaiting in between sees and makes one consistent state.
 */
export class Database {
  /** `projects/p/databases/d` */
  readonly name: string;
  /** Another after the database was cleared, or in another process: times of one say nothing about states of another. */
  epoch: Buffer = randomBytes(EPOCH_BYTES);
  readonly #clock: Clock;
  readonly #collections = new Map<string, Collection>();
  readonly #collectionOrder = sortedMap<Collection>();
  readonly #groups = new Map<string, CollectionGroup>();
  readonly #indexes = new Map<string, Map<string, Index>>();
  readonly #retention: Retention;
  readonly #subscribers = new Set<(commit: Commit) => void>();

  constructor(name: string, clock: Clock, limits?: Partial<RetentionLimits>) {
    this.name = name;
    this.#clock = clock;
    this.#retention = new Retention(limits);
  }

  /** Called after every commit that changed something, in the order of the commits. Returns the way to stop. */
  subscribe(subscriber: (commit: Commit) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  collection(path: string): Collection | undefined {
    return this.#collections.get(path);
  }

  group(id: string): CollectionGroup | undefined {
    return this.#groups.get(id);
  }

  /** The document at a path, now or at a time in the past. */
  get(path: string, at?: number): LiveVersion | undefined {
    const document = this.#collections.get(parentPath(path))?.get(lastSegment(path));
    if (!document) return undefined;
    if (at !== undefined) return versionAt(document, at);
    return isLive(document.current) ? document.current : undefined;
  }

  /** Whether the states of a time are still kept. */
  canRead(micros: number): boolean {
    const now = this.#clock.now();
    return micros <= now && micros >= this.#retention.floor(now);
  }

  /** Refuses a read time that is in the future or of which the states are no longer kept. */
  checkReadTime(micros: number): void {
    const now = this.#clock.now();
    if (micros > now) throw new StatusError("INVALID_ARGUMENT", "read_time cannot be in the future.");
    if (micros < this.#retention.floor(now)) {
      throw new StatusError("FAILED_PRECONDITION", "The requested snapshot version is too old.");
    }
  }

  /** A time for a commit, later than any before it. */
  tick(): number {
    return this.#clock.tick();
  }

  /**
   * Makes the mutations of one commit, all at `time` (from {@link tick}); a document may be named only once.
   * @param unchanged documents that the commit wrote and left as they were: subscribers may want to know
   */
  apply(mutations: readonly Mutation[], time: number, unchanged: readonly string[] = []): Commit {
    const changes = mutations.map((mutation) => this.#mutate(mutation, time));
    this.#retention.trim(time, (document) => this.#forget(document));
    const made = changes.filter((change) => change.before !== change.after);
    const commit: Commit = { database: this.name, time, changes: made, unchanged };
    if (made.length + unchanged.length > 0) for (const subscriber of this.#subscribers) subscriber(commit);
    return commit;
  }

  /** The sorted index with these fields, built from the documents there are when it is first asked for. */
  index(scope: Scope, fields: readonly IndexField[]): Index {
    const scopeKey = `${scope.kind} ${scope.id}`;
    const indexes = this.#indexes.get(scopeKey) ?? new Map<string, Index>();
    this.#indexes.set(scopeKey, indexes);
    const id = indexId(fields);
    const known = indexes.get(id);
    if (known) {
      indexes.delete(id);
      indexes.set(id, known);
      return known;
    }
    const index = this.#build(scope, fields);
    indexes.set(id, index);
    this.#dropOldestIndex(indexes);
    return index;
  }

  /** Ids of the collections directly below a document ("" for the root), in order. */
  childCollectionIds(parent: string, at?: number): string[] {
    return [...this.#populatedBelow(parent, at)];
  }

  /** Ids in a collection that have no document of their own, but documents below them; in order. */
  missingDocumentIds(collectionPath: string, at?: number): string[] {
    return [...this.#populatedBelow(collectionPath, at)].filter((id) => !this.get(joinPath(collectionPath, id), at));
  }

  /** Every document below a path ("" for all), deleted ones that are still kept included, in the order of their collections. */
  *documentsBelow(parent: string): Generator<StoredDocument> {
    const prefix = pathPrefix(parent);
    for (const [key, collection] of this.#collectionOrder.entries(prefix)) {
      if (!key.startsWith(prefix)) return;
      yield* collection.documents();
    }
  }

  /** The next documents behind one, for whoever goes through all while they are changed; deleted ones that are still kept are among them. */
  page(behind: StoredDocument | undefined, count: number): StoredDocument[] {
    const found: StoredDocument[] = [];
    const from = behind && pathPrefix(parentPath(behind.path));
    for (const [key, collection] of this.#collectionOrder.entries(from)) {
      const low = behind && key === from ? next(behind.key) : "";
      for (const document of collection.scan(low, after(""), false)) {
        found.push(document);
        if (found.length === count) return found;
      }
    }
    return found;
  }

  /** Puts a document back as another process had it, or takes it away, before there is anybody to notice. */
  restore(path: string, { fields, createTime, updateTime, bytes }: Omit<Version, "previous">): void {
    const collection = this.#collectionFor(parentPath(path));
    const before = collection.size;
    const current: Version = { fields, createTime, updateTime, bytes, previous: undefined };
    const document: StoredDocument = { path, key: idKey(lastSegment(path)), current };
    if (fields) collection.put(document);
    else this.#forget(document);
    this.#count(collection, collection.size - before, updateTime);
    // What was there before then is not known any more.
    this.#retention.startAt(updateTime);
  }

  /** Deletes everything, without a trace in the past. Subscribers hear of each document. */
  clear(): void {
    const changes: Change[] = [];
    for (const collection of this.#collections.values()) {
      for (const { path, current } of collection.liveDocuments()) {
        changes.push({ path, before: current as LiveVersion, after: undefined });
      }
    }
    this.#collections.clear();
    this.#collectionOrder.clear();
    this.#groups.clear();
    this.#indexes.clear();
    this.#retention.clear();
    this.epoch = randomBytes(EPOCH_BYTES);
    const commit: Commit = { database: this.name, time: this.#clock.tick(), changes, unchanged: [], isClearing: true };
    for (const subscriber of this.#subscribers) subscriber(commit);
  }

  #mutate({ path, fields, bytes }: Mutation, time: number): Change {
    const collection = this.#collectionFor(parentPath(path));
    const document = collection.get(lastSegment(path));
    const before = document && isLive(document.current) ? document.current : undefined;
    if (!before && fields === null) return { path, before: undefined, after: undefined };
    const version: Version = {
      fields,
      createTime: before ? before.createTime : time,
      updateTime: time,
      bytes,
      previous: document?.current,
    };
    const stored = document ?? { path, key: idKey(lastSegment(path)), current: version };
    if (document) {
      this.#retention.keep(document, version);
      document.current = version;
    } else {
      collection.put(stored);
    }
    this.#count(collection, (fields ? 1 : 0) - (before ? 1 : 0), time);
    this.#reindex(collection, stored, before?.fields ?? null, fields);
    if (fields === null) this.#retention.keep(stored, undefined);
    return { path, before, after: isLive(version) ? version : undefined };
  }

  #count(collection: Collection, difference: number, time: number): void {
    const group = this.#groups.get(collection.id) as CollectionGroup;
    for (const counted of [collection, group]) {
      counted.live += difference;
      counted.changed = time;
    }
  }

  #reindex(collection: Collection, document: StoredDocument, from: Version["fields"], to: Version["fields"]): void {
    for (const scope of [`collection ${collection.path}`, `group ${collection.id}`]) {
      const indexes = this.#indexes.get(scope);
      if (indexes) for (const index of indexes.values()) index.update(document, from, to);
    }
  }

  #build(scope: Scope, fields: readonly IndexField[]): Index {
    const index = new Index(scope.kind, fields);
    const source = scope.kind === "collection" ? this.#collections.get(scope.id) : this.#groups.get(scope.id);
    for (const document of source?.documents() ?? []) {
      if (isLive(document.current)) index.add(document, document.current.fields);
    }
    return index;
  }

  #dropOldestIndex(indexes: Map<string, Index>): void {
    if (indexes.size <= MAX_INDEXES) return;
    const oldest = indexes.keys().next().value;
    if (oldest !== undefined) indexes.delete(oldest);
  }

  #collectionFor(path: string): Collection {
    const known = this.#collections.get(path);
    if (known) return known;
    const collection = new Collection(path);
    this.#collections.set(path, collection);
    this.#collectionOrder.set(pathPrefix(path), collection);
    const group = this.#groups.get(collection.id) ?? new CollectionGroup(collection.id);
    group.collections.add(collection);
    this.#groups.set(collection.id, group);
    return collection;
  }

  /** Drops what is left of a deleted document, and its collection with the last of them. */
  #forget(document: StoredDocument): void {
    const collection = this.#collections.get(parentPath(document.path));
    if (!collection) return;
    collection.remove(document);
    if (collection.size > 0) return;
    this.#collections.delete(collection.path);
    this.#collectionOrder.delete(pathPrefix(collection.path));
    this.#indexes.delete(`collection ${collection.path}`);
    this.#groups.get(collection.id)?.collections.delete(collection);
  }

  /** The distinct ids one level below a path under which documents lie, in order; found by seeking, not by reading all. */
  *#populatedBelow(path: string, at: number | undefined): Generator<string> {
    const prefix = pathPrefix(path);
    const depth = path === "" ? 0 : path.split("/").length;
    let from: SortKey = path === "" ? "" : next(prefix);
    while (true) {
      const found = this.#collectionOrder.getPairOrNextHigher(from);
      if (!found?.[0].startsWith(prefix)) return;
      const [key, collection] = found;
      if (this.#populated(collection, at)) {
        const id = collection.path.split("/")[depth] as string;
        yield id;
        from = after(pathPrefix(joinPath(path, id)));
      } else {
        from = next(key);
      }
    }
  }

  #populated(collection: Collection, at: number | undefined): boolean {
    if (at === undefined || at >= collection.changed) return collection.live > 0;
    for (const document of collection.documents()) if (versionAt(document, at)) return true;
    return false;
  }
}

/** The smallest key behind `key`. */
function next(key: SortKey): SortKey {
  return `${key}\x00`;
}
