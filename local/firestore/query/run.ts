import { compareKeys, type SortKey } from "../model/order.ts";
import { isDocumentName, joinPath, parentPath, parseName } from "../model/path.ts";
import type { Reference } from "../model/value.ts";
import type { Database } from "../store/database.ts";
import { isLive, type LiveVersion, type Snapshot, type StoredDocument, versionAt } from "../store/document.ts";
import { isWide, valueAt } from "../store/index.ts";
import type { Predicate } from "../transactions/transactions.ts";
import { type Conjunction, satisfies } from "./filter.ts";
import { cursorPlaces, plan, sortKeyOf } from "./plan.ts";
import type { Query } from "./query.ts";

/** Up to this many documents are read and sorted rather than kept in an index. */
const SMALL = 64;

export interface QueryResult {
  readonly documents: readonly Snapshot[];
  /** Documents passed over by the offset; they are billed. */
  readonly skipped: number;
  /** Where in the sort order the last document lies, if the limit cut the result off there. */
  readonly cutAt: SortKey | undefined;
}

/** Answers a query, as of now or of a time in the past (microseconds). */
export function runQuery(database: Database, query: Query, at?: number): QueryResult {
  const documents: Snapshot[] = [];
  let skipped = 0;
  if (query.limit !== 0) {
    for (const snapshot of matches(database, query, at)) {
      if (skipped < query.offset) {
        skipped++;
        continue;
      }
      documents.push(snapshot);
      if (documents.length === query.limit) break;
    }
  }
  const last = documents.length === query.limit ? documents.at(-1) : undefined;
  return { documents, skipped, cutAt: last && keyOfSnapshot(query, last) };
}

interface Match {
  readonly snapshot: Snapshot;
  /** Its place in the sort order. */
  readonly key: SortKey;
}

/** All documents that a query matches, in its order, between its cursors, each once. */
function* matches(database: Database, query: Query, at: number | undefined): Generator<Snapshot> {
  const source =
    query.scope.kind === "collection" ? database.collection(query.scope.id) : database.group(query.scope.id);
  const current = at === undefined || (source?.changed ?? 0) <= at;
  if (isWide(query.scope) || !current || (source?.live ?? 0) <= SMALL) {
    yield* sorted(query, database, at);
  } else if (query.disjunctions.length === 1) {
    yield* planned(database, query, query.disjunctions[0] as Conjunction);
  } else {
    yield* merged(
      query,
      query.disjunctions.map((conjunction) => planned(database, query, conjunction)),
    );
  }
}

/** Reads every document of the scope and sorts those that match. */
function sorted(query: Query, database: Database, at: number | undefined): Snapshot[] {
  const places = cursorPlaces(query);
  const found: Match[] = [];
  for (const document of scopeDocuments(database, query)) {
    const version = at === undefined ? document.current : versionAt(document, at);
    if (!isLive(version) || !isInScope(query, document.path)) continue;
    const match = matchOf(query, { path: document.path, version }, places);
    if (match) found.push(match);
  }
  return found.sort((a, b) => compareKeys(a.key, b.key)).map(({ snapshot }) => snapshot);
}

/** The document with its place in the sort order, if it is one that the query is about. */
function matchOf(query: Query, snapshot: Snapshot, places: { low: SortKey; high: SortKey }): Match | undefined {
  if (!query.disjunctions.some((conjunction) => satisfiedBy(query, snapshot, conjunction))) return undefined;
  const key = keyOfSnapshot(query, snapshot);
  return key !== undefined && key >= places.low && key < places.high ? { snapshot, key } : undefined;
}

function* scopeDocuments(database: Database, { scope, parent }: Query): Generator<StoredDocument> {
  if (isWide(scope)) yield* database.documentsBelow(parent);
  else
    yield* (scope.kind === "collection" ? database.collection(scope.id) : database.group(scope.id))?.documents() ?? [];
}

/** The documents of one conjunction, in order. */
function* planned(database: Database, query: Query, conjunction: Conjunction): Generator<Snapshot> {
  const named = conjunction.find(({ path, operator }) => operator === "==" && isDocumentName(path));
  if (!named) {
    yield* scanned(database, query, conjunction);
    return;
  }
  const found = byName(database, query, conjunction, named.value as Reference);
  if (found && isBetween(query, found, cursorPlaces(query))) yield found;
}

/** The documents of one conjunction, read from the index that production would need. */
function* scanned(database: Database, query: Query, conjunction: Conjunction): Generator<Snapshot> {
  const { fields, low, high, reverse, residual, boundsApplied } = plan(query, conjunction);
  const places = cursorPlaces(query);
  const collection = query.scope.kind === "collection" ? database.collection(query.scope.id) : undefined;
  const source = collection && fields.length === 0 ? collection : database.index(query.scope, fields);
  for (const document of source.scan(low, high, reverse)) {
    if (!isLive(document.current) || !isBelow(query, document.path)) continue;
    const snapshot: Snapshot = { path: document.path, version: document.current };
    if (residual.length > 0 && !satisfiedBy(query, snapshot, residual)) continue;
    if (boundsApplied || isBetween(query, snapshot, places)) yield snapshot;
  }
}

function byName(database: Database, query: Query, conjunction: Conjunction, { name }: Reference): Snapshot | undefined {
  const { path } = parseName(name);
  const version = database.get(path);
  if (!version || !isInScope(query, path)) return undefined;
  const snapshot: Snapshot = { path, version };
  return satisfiedBy(query, snapshot, conjunction) ? snapshot : undefined;
}

/** Merges streams that are each in order; a document that several of them hold comes once. */
function* merged(query: Query, streams: readonly Generator<Snapshot>[]): Generator<Snapshot> {
  const heads: { stream: Generator<Snapshot>; match: Match }[] = [];
  for (const stream of streams) {
    const match = nextMatch(query, stream);
    if (match) heads.push({ stream, match });
  }
  let last: SortKey | undefined;
  while (heads.length > 0) {
    const least = heads.reduce((a, b) => (b.match.key < a.match.key ? b : a));
    if (least.match.key !== last) yield least.match.snapshot;
    last = least.match.key;
    const match = nextMatch(query, least.stream);
    if (match) least.match = match;
    else heads.splice(heads.indexOf(least), 1);
  }
}

function nextMatch(query: Query, stream: Generator<Snapshot>): Match | undefined {
  const next = stream.next();
  if (next.done) return undefined;
  return { snapshot: next.value, key: keyOfSnapshot(query, next.value) as SortKey };
}

function keyOfSnapshot(query: Query, { path, version }: Snapshot): SortKey | undefined {
  return sortKeyOf(query, path, (field) => valueAt(version.fields, field));
}

function isBetween(query: Query, snapshot: Snapshot, { low, high }: { low: SortKey; high: SortKey }): boolean {
  const key = keyOfSnapshot(query, snapshot);
  return key !== undefined && key >= low && key < high;
}

function satisfiedBy(query: Query, { path, version }: Snapshot, conjunction: Conjunction): boolean {
  return satisfies({ name: `${query.database}/documents/${path}`, fields: version.fields }, conjunction);
}

function isBelow({ parent, scope }: Query, path: string): boolean {
  return scope.kind === "collection" || parent === "" || path.startsWith(`${parent}/`);
}

/** Whether a document at this path is one that the query is about, whatever its fields. */
function isInScope(query: Query, path: string): boolean {
  const collection = parentPath(path);
  if (query.scope.kind === "collection") return collection === query.scope.id;
  if (query.scope.kind === "all") return isBelow(query, path);
  if (query.scope.kind === "children") return parentPath(collection) === query.parent;
  return isBelow(query, path) && (collection === query.scope.id || collection.endsWith(`/${query.scope.id}`));
}

/** Whether a document in this state is one that a query matches, its limit and offset left aside. */
export function matcherOf(query: Query): (path: string, version: LiveVersion | undefined) => boolean {
  const places = cursorPlaces(query);
  return (path, version) =>
    version !== undefined && isInScope(query, path) && matchOf(query, { path, version }, places) !== undefined;
}

/** What a transaction that ran this query has seen; `cutAt` of the result narrows it to the part that was read. */
export function predicateOf(query: Query, cutAt?: () => SortKey | undefined): Predicate {
  const places = cursorPlaces(query);
  const isSeen = (path: string, fields: LiveVersion["fields"] | null) => {
    if (!fields) return false;
    const version: LiveVersion = { fields, createTime: 0, updateTime: 0, bytes: 0, previous: undefined };
    const match = matchOf(query, { path, version }, places);
    return match !== undefined && match.key <= (cutAt?.() ?? places.high);
  };
  return {
    resource: `?${joinPath(query.parent, query.scope.id)}`,
    covers: (path) => isInScope(query, path),
    affectedBy: ({ path, before, after }) => isInScope(query, path) && (isSeen(path, before) || isSeen(path, after)),
  };
}
