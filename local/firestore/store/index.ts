import { idKey, KeyWriter, pathKey, type SortKey } from "../model/order.ts";
import { type FieldPath, formatFieldPath, lastSegment } from "../model/path.ts";
import { type Fields, isArray, isMap, type Value } from "../model/value.ts";
import type { StoredDocument } from "./document.ts";
import { scan, sortedMap } from "./sorted-map.ts";

/** One field of an index: in ascending or descending order, or one entry for each element of an array. */
export interface IndexField {
  readonly path: FieldPath;
  readonly kind: "ascending" | "descending" | "contains";
}

/** Which documents a query or an index is about: those of one collection, of every collection of one id, or simply all. */
export interface Scope {
  /** `all`: whatever lies below a document; `children`: what lies directly below, in whichever collection. */
  readonly kind: "collection" | "group" | "all" | "children";
  /** The collection's path, the group's id, or "". */
  readonly id: string;
}

/** Whether it is more than collections of one id. No index has that. */
export function isWide({ kind }: Scope): boolean {
  return kind === "all" || kind === "children";
}

/** Names an index within its scope. */
export function indexId(fields: readonly IndexField[]): string {
  return fields.map((field) => `${formatFieldPath(field.path)} ${field.kind}`).join(",");
}

/** The value at a field path, or undefined where there is none. */
export function valueAt(fields: Fields, path: FieldPath): Value | undefined {
  let value: Value | undefined = fields;
  for (const segment of path) {
    if (!isMap(value)) return undefined;
    value = value.get(segment);
  }
  return value;
}

/** The part of a key that names the document: its id within a collection, its path otherwise. */
export function nameKey(scope: Scope["kind"], path: string): SortKey {
  return scope === "collection" ? idKey(lastSegment(path)) : pathKey(path);
}

/**
 * A sorted index over the documents of a scope that have all its fields. An entry's key is the keys of its values and then the
 * document's name, ascending; a scan yields documents in that order, in either direction.
 */
export class Index {
  readonly fields: readonly IndexField[];
  readonly #scope: Scope["kind"];
  readonly #entries = sortedMap<StoredDocument>();

  constructor(scope: Scope["kind"], fields: readonly IndexField[]) {
    this.#scope = scope;
    this.fields = fields;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(document: StoredDocument, fields: Fields): void {
    for (const key of this.#keys(document, fields)) this.#entries.set(key, document);
  }

  /** Moves the entries of a document from one state of its fields to another; either may be absent. */
  update(document: StoredDocument, from: Fields | null, to: Fields | null): void {
    const old = from ? this.#keys(document, from) : [];
    const fresh = to ? this.#keys(document, to) : [];
    for (const key of old) if (!fresh.includes(key)) this.#entries.delete(key);
    for (const key of fresh) if (!old.includes(key)) this.#entries.set(key, document);
  }

  /** Documents whose key is at or behind `low` and in front of `high`. */
  scan(low: SortKey, high: SortKey, reverse: boolean): Generator<StoredDocument> {
    return scan(this.#entries, low, high, reverse);
  }

  #keys(document: StoredDocument, fields: Fields): SortKey[] {
    const contains = this.fields.find((field) => field.kind === "contains");
    if (!contains) {
      const key = this.#key(document, fields, undefined);
      return key === undefined ? [] : [key];
    }
    const array = valueAt(fields, contains.path);
    if (!isArray(array)) return [];
    const keys = new Set<SortKey>();
    for (const element of array) {
      const key = this.#key(document, fields, element);
      if (key !== undefined) keys.add(key);
    }
    return [...keys];
  }

  #key(document: StoredDocument, fields: Fields, element: Value | undefined): SortKey | undefined {
    const name = nameKey(this.#scope, document.path);
    const writer = new KeyWriter();
    for (const field of this.fields) {
      const value = field.kind === "contains" ? element : valueAt(fields, field.path);
      if (value === undefined) return undefined;
      writer.directed(value, field.kind === "descending");
    }
    writer.raw(name);
    return writer.key();
  }
}
