import { type FieldPath, formatFieldPath, parseName } from "../model/path.ts";
import type { IndexDefinitions, Mode } from "./definitions.ts";
import type { QueryScope } from "./file.ts";
import type { Needs } from "./needs.ts";

interface FieldInFile {
  readonly fieldPath: string;
  readonly order?: Mode;
  readonly arrayConfig?: Mode;
}

/** An entry for `indexes` of firestore.indexes.json. */
interface MissingComposite {
  readonly collectionGroup: string;
  readonly queryScope: QueryScope;
  readonly fields: readonly FieldInFile[];
}

/** An entry for `fieldOverrides`: the indexes that the field has, and the one that is missing. */
interface MissingSingle {
  readonly collectionGroup: string;
  readonly fieldPath: string;
  readonly indexes: readonly object[];
}

export type MissingIndex =
  | { readonly kind: "composite"; readonly index: MissingComposite }
  | { readonly kind: "single"; readonly mode: Mode; readonly scope: QueryScope; readonly override: MissingSingle };

/** The index that alone would serve a conjunction which no index serves. */
export function missingIndex(needs: Needs, definitions: IndexDefinitions): MissingIndex {
  const { collectionGroup, scope } = needs;
  const fields: { path: FieldPath; mode: Mode }[] = [
    ...(needs.contains ? [{ path: needs.contains, mode: "CONTAINS" as const }] : []),
    ...needs.equal.map((path) => ({ path, mode: "ASCENDING" as const })),
    ...needs.sorted.map(({ path, descending }) => ({ path, mode: direction(descending) })),
    ...needs.added.map((path) => ({ path, mode: "ASCENDING" as const })),
  ];
  const ofName = needs.nameDescends ?? false;
  const last = fields.at(-1);
  const only = fields.length <= 1 ? (last ?? { path: ["__name__"], mode: direction(ofName) }) : undefined;
  if (only && isServedAlone(needs, only.mode)) {
    const mode = needs.equal.length > 0 ? direction(ofName) : only.mode;
    const others = definitions.ofField(collectionGroup, only.path);
    const indexes = [...others, { mode, scope }].map((one) => ({ ...modeIn(one.mode), queryScope: one.scope }));
    const override = { collectionGroup, fieldPath: formatFieldPath(only.path), indexes };
    return { kind: "single", mode, scope, override };
  }
  const needsName = needs.nameDescends !== undefined && needs.nameDescends !== (last?.mode === "DESCENDING");
  if (needsName) fields.push({ path: ["__name__"], mode: direction(ofName) });
  const inFile = fields.map(({ path, mode }) => ({ fieldPath: formatFieldPath(path), ...modeIn(mode) }));
  return { kind: "composite", index: { collectionGroup, queryScope: scope, fields: inFile } };
}

/** Whether names come in the wanted order in an index of a single field. */
function isServedAlone({ equal, nameDescends }: Needs, mode: Mode): boolean {
  return equal.length > 0 || nameDescends === undefined || nameDescends === (mode === "DESCENDING");
}

/**
 * What the caller is told, in production's words, with the entry for firestore.indexes.json behind it.
 * @param database `projects/p/databases/d`
 */
export function describeMissing(database: string, missing: MissingIndex): string {
  const console = `https://console.firebase.google.com/project/${placeOf(database)}/indexes`;
  if (missing.kind === "composite") {
    return `The query requires an index. You can create it here: ${console} or in "indexes" of firestore.indexes.json: ${JSON.stringify(missing.index)}`;
  }
  const { mode, scope, override } = missing;
  return `The query requires a ${scope}_${SHORT[mode]} index for collection ${override.collectionGroup} and field ${override.fieldPath}. You can create it here: ${console} or in "fieldOverrides" of firestore.indexes.json: ${JSON.stringify(override)}`;
}

const SHORT: Readonly<Record<Mode, string>> = { ASCENDING: "ASC", DESCENDING: "DESC", CONTAINS: "CONTAINS" };

/** Where the console shows a database. */
function placeOf(database: string): string {
  const [, project, , id] = parseName(`${database}/documents`).database.split("/");
  return id === "(default)" ? `${project}/firestore` : `${project}/firestore/databases/${id}`;
}

function direction(descending: boolean): Mode {
  return descending ? "DESCENDING" : "ASCENDING";
}

function modeIn(mode: Mode): { order: Mode } | { arrayConfig: Mode } {
  return mode === "CONTAINS" ? { arrayConfig: mode } : { order: mode };
}
