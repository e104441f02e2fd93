import { type FieldPath, formatFieldPath } from "../model/path.ts";
import type { DefinedField, DefinedIndex, IndexDefinitions } from "./definitions.ts";
import type { Needs } from "./needs.ts";

const NAME = "__name__";

/**
 * The indexes that serve a conjunction, or undefined if those that there are cannot.
 *
 * An index serves if its entries for the wanted values lie side by side, in the wanted order: first fields that are compared for
 * equality (in whatever order and direction) or the array that holds a value, then exactly the fields of the sort order in its directions,
 * then what is added up, then the name. Indexes that each begin with some of the equalities and end in the same order are merged:
 * what all of them hold is the result, in that order. Single-field indexes take part like any other.
 * Source: https://firebase.google.com/docs/firestore/query-data/index-overview#taking_advantage_of_index_merging
 * @returns none where the order of names, which each collection has, is all that is needed
 */
export function serve(needs: Needs, definitions: IndexDefinitions): readonly DefinedIndex[] | undefined {
  const fixed = fixedFields(needs);
  const candidates = [...definitions.composites(needs.collectionGroup, needs.scope), ...single(needs, definitions)];
  if (fixed.length === 0 && isByNameOnly(needs)) return [];
  const byEnd = new Map<string, { index: DefinedIndex; begin: readonly string[] }[]>();
  for (const index of candidates) {
    const parts = split(index, needs);
    if (!parts?.begin.every((field) => fixed.includes(field))) continue;
    byEnd.set(parts.end, [...(byEnd.get(parts.end) ?? []), { index, begin: parts.begin }]);
  }
  for (const mergeable of byEnd.values()) {
    const used = cover(fixed, mergeable);
    if (used) return used;
  }
  return undefined;
}

/** The fields of an index as text, with modes of no account left out: equalities are served by either direction. */
function fixedFields({ equal, contains }: Needs): string[] {
  return [...equal.map(formatFieldPath), ...(contains ? [`${formatFieldPath(contains)} CONTAINS`] : [])];
}

function fixedField({ path, mode }: DefinedField): string {
  return mode === "CONTAINS" ? `${path} CONTAINS` : path;
}

function isByNameOnly({ sorted, added, nameDescends }: Needs): boolean {
  return sorted.length === 0 && added.length === 0 && !nameDescends;
}

/** The single-field indexes of the fields that a conjunction is about. */
function single({ collectionGroup, scope, ...needs }: Needs, definitions: IndexDefinitions): DefinedIndex[] {
  const paths = new Map<string, FieldPath>();
  const named = [...needs.equal, ...needs.sorted.map(({ path }) => path), ...needs.added];
  for (const path of needs.contains ? [...named, needs.contains] : named) paths.set(formatFieldPath(path), path);
  paths.set(NAME, [NAME]);
  return [...paths].flatMap(([id, path]) =>
    definitions
      .ofField(collectionGroup, path)
      .filter((index) => index.scope === scope)
      .map(({ mode }) => ({ fields: [{ path: id, mode }] })),
  );
}

/** Takes an index apart into what it begins with and, if it is what the conjunction is sorted by, what it ends in. */
function split(index: DefinedIndex, needs: Needs): { begin: readonly string[]; end: string } | undefined {
  const { fields, nameDescends } = withName(index);
  if (needs.nameDescends !== undefined && needs.nameDescends !== nameDescends) return undefined;
  const added = new Set(needs.added.map(formatFieldPath));
  const at = fields.length - needs.sorted.length - added.size;
  if (at < 0) return undefined;
  const isSorted = needs.sorted.every(({ path, descending }, i) => {
    const field = fields[at + i];
    return field?.path === formatFieldPath(path) && field.mode === (descending ? "DESCENDING" : "ASCENDING");
  });
  const tail = fields.slice(at + needs.sorted.length);
  const isAdded = tail.every(({ path, mode }) => mode !== "CONTAINS" && added.delete(path));
  if (!isSorted || !isAdded) return undefined;
  const end = fields.slice(at).map(({ path, mode }) => `${path} ${mode}`);
  return { begin: fields.slice(0, at).map(fixedField), end: [...end, nameDescends].join() };
}

/** Names are sorted like the field in front of them, unless the index says how. */
export function withName({ fields }: DefinedIndex): { fields: readonly DefinedField[]; nameDescends: boolean } {
  const last = fields.at(-1);
  return { fields: last?.path === NAME ? fields.slice(0, -1) : fields, nameDescends: last?.mode === "DESCENDING" };
}

/** Indexes that together begin with all that is fixed; the longest first, so that few are merged. */
function cover(
  fixed: readonly string[],
  mergeable: readonly { readonly index: DefinedIndex; readonly begin: readonly string[] }[],
): readonly DefinedIndex[] | undefined {
  const used: DefinedIndex[] = [];
  const covered = new Set<string>();
  const longestFirst = [...mergeable].sort((a, b) => b.begin.length - a.begin.length);
  for (const { index, begin } of longestFirst) {
    if (used.length > 0 && begin.every((field) => covered.has(field))) continue;
    for (const field of begin) covered.add(field);
    used.push(index);
  }
  return used.length > 0 && covered.size === fixed.length ? used : undefined;
}
