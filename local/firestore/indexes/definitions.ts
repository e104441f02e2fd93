import { type FieldPath, formatFieldPath, isDocumentName, parseFieldPath } from "../model/path.ts";
import type { IndexesFile, QueryScope } from "./file.ts";

export type Mode = "ASCENDING" | "DESCENDING" | "CONTAINS";

/** One field of an index. The path is written as {@link formatFieldPath} writes it. */
export interface DefinedField {
  readonly path: string;
  readonly mode: Mode;
}

/** An index that a database has. Behind its fields, entries are sorted by the document's name, if that is not itself among the fields. */
export interface DefinedIndex {
  readonly fields: readonly DefinedField[];
}

/** What is automatically there for each field, in collections only. */
const AUTOMATIC: readonly { readonly mode: Mode; readonly scope: QueryScope }[] = [
  { mode: "ASCENDING", scope: "COLLECTION" },
  { mode: "DESCENDING", scope: "COLLECTION" },
  { mode: "CONTAINS", scope: "COLLECTION" },
];

/** Documents are sorted by name in collections and in groups of them. */
const OF_NAMES: typeof AUTOMATIC = [
  { mode: "ASCENDING", scope: "COLLECTION" },
  { mode: "ASCENDING", scope: "COLLECTION_GROUP" },
];

const ALL_FIELDS = "*";

/**
 * The indexes of a database: composite ones, and those of single fields, which every field has if no override says otherwise. An
 * override of a map is also one of the fields in it. Source: https://firebase.google.com/docs/firestore/query-data/index-overview
 */
export class IndexDefinitions {
  readonly #composites = new Map<string, DefinedIndex[]>();
  readonly #overrides = new Map<string, typeof AUTOMATIC>();

  constructor(file: IndexesFile) {
    for (const { collectionGroup, queryScope, fields } of file.indexes) {
      const modes = fields.map(({ fieldPath, ...mode }) => ({ path: normal(fieldPath), mode: modeOf(mode) }));
      // An index without an order or an array mode on a field is one of vectors, which serves none of the queries here.
      const known = modes.filter((field): field is DefinedField => field.mode !== undefined);
      if (known.length < modes.length) continue;
      const key = keyOf(collectionGroup, queryScope);
      this.#composites.set(key, [...(this.#composites.get(key) ?? []), { fields: known }]);
    }
    for (const { collectionGroup, fieldPath, indexes } of file.fieldOverrides) {
      if (!indexes) continue;
      const path = fieldPath === ALL_FIELDS ? ALL_FIELDS : normal(fieldPath);
      const kept = indexes.flatMap(({ queryScope, ...mode }) => {
        const known = modeOf(mode);
        return known ? [{ mode: known, scope: queryScope }] : [];
      });
      this.#overrides.set(keyOf(collectionGroup, path), kept);
    }
  }

  composites(collectionGroup: string, scope: QueryScope): readonly DefinedIndex[] {
    return this.#composites.get(keyOf(collectionGroup, scope)) ?? [];
  }

  /** The single-field indexes of a field, of both scopes. */
  ofField(collectionGroup: string, path: FieldPath): typeof AUTOMATIC {
    for (let depth = path.length; depth > 0; depth--) {
      const override = this.#overrides.get(keyOf(collectionGroup, formatFieldPath(path.slice(0, depth))));
      if (override) return override;
    }
    if (isDocumentName(path)) return OF_NAMES;
    return this.#overrides.get(keyOf(collectionGroup, ALL_FIELDS)) ?? AUTOMATIC;
  }
}

function modeOf(field: {
  readonly order?: "ASCENDING" | "DESCENDING" | undefined;
  readonly arrayConfig?: "CONTAINS" | undefined;
}): Mode | undefined {
  return field.order ?? field.arrayConfig;
}

function normal(fieldPath: string): string {
  return formatFieldPath(parseFieldPath(fieldPath));
}

function keyOf(collectionGroup: string, rest: string): string {
  return `${collectionGroup}/${rest}`;
}
