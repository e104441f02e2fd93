import { idKey, type SortKey } from "../model/order.ts";
import { lastSegment } from "../model/path.ts";
import { isLive, type StoredDocument } from "./document.ts";
import { scan, sortedMap } from "./sorted-map.ts";

/** The documents of one collection, in the order of their ids. Deleted ones stay while a read in the past may ask for them. */
export class Collection {
  readonly path: string;
  readonly id: string;
  /** Documents that exist now. */
  live = 0;
  /** When the last of them changed, in microseconds. */
  changed = 0;
  readonly #documents = sortedMap<StoredDocument>();

  constructor(path: string) {
    this.path = path;
    this.id = lastSegment(path);
  }

  /** Documents kept, the deleted ones included. */
  get size(): number {
    return this.#documents.size;
  }

  get(id: string): StoredDocument | undefined {
    return this.#documents.get(idKey(id));
  }

  put(document: StoredDocument): void {
    this.#documents.set(document.key, document);
  }

  remove(document: StoredDocument): void {
    this.#documents.delete(document.key);
  }

  /** All documents kept, the deleted ones included, whose key is at or behind `low` and in front of `high`. */
  scan(low: SortKey, high: SortKey, reverse: boolean): Generator<StoredDocument> {
    return scan(this.#documents, low, high, reverse);
  }

  *documents(): Generator<StoredDocument> {
    for (const document of this.#documents.values()) yield document;
  }

  *liveDocuments(): Generator<StoredDocument> {
    for (const document of this.#documents.values()) if (isLive(document.current)) yield document;
  }
}

/** Every collection of one id, wherever it lies. */
export class CollectionGroup {
  readonly id: string;
  readonly collections = new Set<Collection>();
  live = 0;
  changed = 0;

  constructor(id: string) {
    this.id = id;
  }

  *documents(): Generator<StoredDocument> {
    for (const collection of this.collections) yield* collection.documents();
  }
}
