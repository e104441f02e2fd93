import { lastSegment, parentPath } from "../model/path.ts";
import type { Change, Commit, Database } from "../store/database.ts";
import { isWide } from "../store/index.ts";
import { Moment } from "./moment.ts";
import { type Delta, type Subject, View } from "./view.ts";

/** Told of each change of a view, synchronously, in the order of the commits. */
export type Watcher = (deltas: readonly Delta[]) => void;

interface Shared {
  readonly view: View;
  readonly watchers: Set<Watcher>;
  readonly places: readonly string[];
}

/** A view that somebody watches, until they let go of it. */
export interface Watched {
  readonly view: View;
  release(): void;
}

/**
 * The views of one database that somebody listens to, each once however many do. A commit reaches only those that its documents
 * can concern: by document, collection or collection group.
 */
export class Views {
  readonly #database: Database;
  #moment: Moment | undefined;
  readonly #shared = new Map<string, Shared>();
  readonly #byPlace = new Map<string, Set<Shared>>();

  constructor(database: Database) {
    this.#database = database;
    database.subscribe((commit) => this.#onCommit(commit));
  }

  /** How many there are. */
  get count(): number {
    return this.#shared.size;
  }

  /** @param key the same for the same subject */
  watch(key: string, subject: Subject, watcher: Watcher): Watched {
    const shared = this.#shared.get(key) ?? this.#open(key, subject);
    shared.watchers.add(watcher);
    return {
      view: shared.view,
      release: () => {
        shared.watchers.delete(watcher);
        if (shared.watchers.size === 0 && this.#shared.get(key) === shared) this.#drop(key, shared);
      },
    };
  }

  /** The database as it is now. @param fresh with a time of its own, even if nothing has changed */
  moment(fresh = false): Moment {
    if (fresh || !this.#moment) this.#moment = new Moment(this.#database);
    return this.#moment;
  }

  #open(key: string, subject: Subject): Shared {
    const shared: Shared = {
      view: new View(this.#database, subject),
      watchers: new Set(),
      places: placesOf(subject),
    };
    this.#shared.set(key, shared);
    for (const place of shared.places) {
      const there = this.#byPlace.get(place) ?? new Set();
      there.add(shared);
      this.#byPlace.set(place, there);
    }
    return shared;
  }

  #drop(key: string, shared: Shared): void {
    this.#shared.delete(key);
    for (const place of shared.places) {
      const there = this.#byPlace.get(place);
      there?.delete(shared);
      if (there?.size === 0) this.#byPlace.delete(place);
    }
  }

  #onCommit({ changes, unchanged }: Commit): void {
    this.#moment = undefined;
    const concerned = new Map<Shared, { changes: Change[]; unchanged: string[] }>();
    const find = (path: string) =>
      placesAbove(path)
        .flatMap((place) => [...(this.#byPlace.get(place) ?? [])])
        .map((shared) => {
          const found = concerned.get(shared) ?? { changes: [], unchanged: [] };
          concerned.set(shared, found);
          return found;
        });
    for (const change of changes) for (const found of find(change.path)) found.changes.push(change);
    for (const path of unchanged) for (const found of find(path)) found.unchanged.push(path);
    for (const [{ view, watchers }, found] of concerned) {
      const deltas = view.apply(found.changes, found.unchanged);
      if (deltas.length > 0) for (const watcher of watchers) watcher(deltas);
    }
  }
}

const EVERYWHERE = "all";

/** Where a change must happen to concern a subject. */
function placesOf(subject: Subject): string[] {
  if ("paths" in subject) return [...new Set(subject.paths)].map((path) => `document ${path}`);
  const { scope } = subject.query;
  if (isWide(scope)) return [EVERYWHERE];
  return [`${scope.kind} ${scope.id}`];
}

function placesAbove(path: string): string[] {
  const collection = parentPath(path);
  return [`document ${path}`, `collection ${collection}`, `group ${lastSegment(collection)}`, EVERYWHERE];
}
