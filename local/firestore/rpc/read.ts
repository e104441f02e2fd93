import type { Access } from "../access/access.ts";
import type { Firestore } from "../firestore.ts";
import { compareKeys, idKey } from "../model/order.ts";
import {
  checkSegment,
  documentPath,
  isDocumentName,
  joinPath,
  lastSegment,
  parseName,
  parseParent,
} from "../model/path.ts";
import { isArray, Reference, type Value } from "../model/value.ts";
import { parseQuery, type Query } from "../query/query.ts";
import { predicateOf, runQuery } from "../query/run.ts";
import type { Snapshot } from "../store/document.ts";
import { valueAt } from "../store/index.ts";
import { valueCodec, type WireDocument } from "../wire/codec.ts";
import type {
  BatchGetDocumentsRequest,
  BatchGetDocumentsResponse,
  GetDocumentRequest,
  ListCollectionIdsRequest,
  ListDocumentsRequest,
  StructuredQuery,
} from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";
import { liveDocument, maskPaths, openView, readTimeOf, toWire } from "./view.ts";

const DEFAULT_PAGE = 20;
const MAX_PAGE = 300;

export async function getDocument(
  firestore: Firestore,
  request: GetDocumentRequest,
  access: Access,
): Promise<WireDocument> {
  const view = openView(firestore, parseName(request.name).database, request);
  const { database, transaction, transactions, at } = view;
  const path = documentPath(request.name, database.name);
  // Before it waits and makes others wait, and again for what it then finds.
  if (transaction) access.get(view, [path], { at });
  if (transaction) await transactions.lockDocuments(transaction, [path]);
  access.get(view, [path], { at });
  const version = database.get(path, at);
  access.call.lookedUp(1);
  if (!version) throw new StatusError("NOT_FOUND", `Document "${request.name}" not found.`);
  return liveDocument(database.name, path, version, request.mask);
}

export async function* batchGetDocuments(
  firestore: Firestore,
  request: BatchGetDocumentsRequest,
  access: Access,
): AsyncGenerator<BatchGetDocumentsResponse> {
  const names = [...new Set(request.documents ?? [])];
  const paths = names.map((name) => documentPath(name, request.database));
  const view = openView(firestore, request.database, request);
  const { database, transaction, transactions, at, begun } = view;
  if (transaction) access.get(view, paths, { at });
  if (transaction) await transactions.lockDocuments(transaction, paths);
  access.get(view, paths, { at });
  const versions = paths.map((path) => database.get(path, at));
  const readTime = readTimeOf(view);
  access.call.lookedUp(paths.length);
  if (begun) yield { transaction: begun, readTime };
  for (const [i, path] of paths.entries()) {
    const version = versions[i];
    if (version) yield { found: liveDocument(database.name, path, version, request.mask), readTime };
    else yield { missing: names[i] as string, readTime };
  }
}

/** A row of a listing: a document, or the id of one that is missing but has documents below it. */
interface Row {
  readonly path: string;
  readonly snapshot: Snapshot | undefined;
}

export async function listDocuments(
  firestore: Firestore,
  request: ListDocumentsRequest,
  access: Access,
): Promise<{ documents: WireDocument[]; nextPageToken?: string }> {
  const { parent, collectionId = "", showMissing = false, mask } = request;
  const { database: name, path } = parseParent(parent);
  if (collectionId !== "") checkSegment(collectionId);
  else if (showMissing) throw invalidArgument("A collection must be named for show_missing.");
  if (showMissing && request.orderBy) throw invalidArgument("order_by cannot be used with show_missing.");
  const pageSize = pageSizeOf(request, DEFAULT_PAGE);
  const view = openView(firestore, name, request);
  const { database, transaction, transactions, at } = view;
  const query = parseQuery(parent, listQuery(request, pageSize + 1));
  if (showMissing) access.requireServer("Metadata operations");
  access.list(view, { ...query, limit: pageSize });
  firestore.indexes.check(query);
  if (transaction) await transactions.lockQuery(transaction, predicateOf(query));
  const found: Row[] = runQuery(database, query, at).documents.map((snapshot) => ({ path: snapshot.path, snapshot }));
  const rows = showMissing
    ? withMissing(found, database.missingDocumentIds(joinPath(path, collectionId), at), query)
    : found;
  const page = rows.slice(0, pageSize);
  access.call.queried(page.length);
  const documents = page.map(({ path, snapshot }) =>
    snapshot ? toWire(name, snapshot, maskPaths(mask)) : { name: `${name}/documents/${path}`, fields: new Map() },
  );
  const last = page.at(-1);
  if (rows.length <= pageSize || !last) return { documents };
  return { documents, nextPageToken: pageToken(query, last) };
}

export async function listCollectionIds(
  firestore: Firestore,
  request: ListCollectionIdsRequest,
  access: Access,
): Promise<{ collectionIds: string[]; nextPageToken?: string }> {
  const { database: databaseName, path } = parseParent(request.parent);
  const pageSize = pageSizeOf(request, MAX_PAGE);
  access.requireServer("Metadata operations");
  const { database, at } = openView(firestore, databaseName, request.readTime ? { readTime: request.readTime } : {});
  const from = request.pageToken ? idKey(readToken(request.pageToken).toString()) : "";
  const ids = database.childCollectionIds(path, at).filter((id) => compareKeys(idKey(id), from) > 0);
  const page = ids.slice(0, pageSize);
  access.call.listed();
  const last = page.at(-1);
  if (ids.length <= pageSize || last === undefined) return { collectionIds: page };
  return { collectionIds: page, nextPageToken: Buffer.from(last).toString("base64url") };
}

function pageSizeOf({ pageSize = 0 }: { readonly pageSize?: number }, absent: number): number {
  if (pageSize < 0) throw invalidArgument("page_size must not be negative.");
  return pageSize === 0 ? absent : Math.min(pageSize, MAX_PAGE);
}

function listQuery(request: ListDocumentsRequest, limit: number): StructuredQuery {
  const { collectionId = "", orderBy, pageToken } = request;
  const cursor = pageToken ? cursorIn(pageToken) : undefined;
  return {
    from: [{ collectionId }],
    limit: { value: limit },
    ...(orderBy ? { orderBy: parseOrderBy(orderBy) } : {}),
    ...(cursor ? { startAt: { values: cursor, before: false } } : {}),
  };
}

/** Reads `priority desc, __name__`. */
function parseOrderBy(text: string): NonNullable<StructuredQuery["orderBy"]> {
  return text.split(",").map((part) => {
    const match = /^\s*(\S+)(?:\s+(asc|desc))?\s*$/i.exec(part);
    if (!match) throw invalidArgument(`Invalid order_by "${text}".`);
    return { field: { fieldPath: match[1] as string }, direction: match[2]?.toLowerCase() === "desc" ? 2 : 1 };
  });
}

/** Puts the missing ids behind the page's start in between the documents, in the order of ids. */
function withMissing(rows: readonly Row[], missing: readonly string[], { scope, start }: Query): Row[] {
  const [reference] = start?.values ?? [];
  const from = reference instanceof Reference ? idKey(lastSegment(reference.name)) : "";
  const extra = missing
    .filter((id) => idKey(id) > from)
    .map((id): Row => ({ path: joinPath(scope.id, id), snapshot: undefined }));
  return [...rows, ...extra].sort((a, b) => compareKeys(idKey(lastSegment(a.path)), idKey(lastSegment(b.path))));
}

/** A page token is the last row's place in the sort order, so that it stays right when rows come and go. */
function pageToken({ database, orders }: Query, { path, snapshot }: Row): string {
  const values = orders.map((order) =>
    isDocumentName(order.path)
      ? new Reference(`${database}/documents/${path}`)
      : (valueAt(snapshot?.version.fields ?? new Map(), order.path) as Value),
  );
  return Buffer.from(valueCodec.encode(values).finish()).toString("base64url");
}

/** The values of the last row before the page, from which it goes on. */
function cursorIn(token: string): readonly Value[] {
  const bytes = readToken(token);
  try {
    const cursor = valueCodec.decode(bytes);
    if (isArray(cursor)) return cursor;
  } catch {
    // Whatever it is, it is not one that was given out.
  }
  throw invalidArgument("Invalid page token.");
}

function readToken(token: string): Buffer {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length === 0) throw invalidArgument("Invalid page token.");
  return bytes;
}
