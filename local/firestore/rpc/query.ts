import type { Access } from "../access/access.ts";
import type { Firestore } from "../firestore.ts";
import { compareKeys, pathKey } from "../model/order.ts";
import { parseName } from "../model/path.ts";
import { Reference, type Timestamp, type Value } from "../model/value.ts";
import { addedPaths, aggregate, upTo } from "../query/aggregate.ts";
import { parseQuery, type Query } from "../query/query.ts";
import { predicateOf, type QueryResult, runQuery } from "../query/run.ts";
import type {
  Cursor,
  PartitionQueryRequest,
  RunAggregationQueryRequest,
  RunQueryRequest,
  RunQueryResponse,
} from "../wire/messages.ts";
import { invalidArgument, StatusError } from "../wire/status.ts";
import { openView, readTimeOf, toWire, type View } from "./view.ts";

const MAX_PARTITIONS = 10_000;

export async function* runStructuredQuery(
  firestore: Firestore,
  request: RunQueryRequest,
  access: Access,
): AsyncGenerator<RunQueryResponse> {
  refuseExplain(request.explainOptions);
  const query = parseQuery(request.parent, request.structuredQuery);
  const view = openView(firestore, query.database, request);
  access.list(view, query);
  firestore.indexes.check(query);
  const { documents, skipped } = await runInView(view, query);
  const readTime = readTimeOf(view);
  access.call.queried(documents.length + skipped);
  if (view.begun) yield { transaction: view.begun, readTime };
  if (skipped > 0) yield { skippedResults: skipped, readTime };
  for (const snapshot of documents) yield { document: toWire(query.database, snapshot, query.projection), readTime };
  if (documents.length === 0 && skipped === 0) yield { readTime };
}

export async function* runAggregationQuery(
  firestore: Firestore,
  request: RunAggregationQueryRequest,
  access: Access,
): AsyncGenerator<{
  result?: { aggregateFields: Record<string, Value> };
  transaction?: Uint8Array;
  readTime: Timestamp;
}> {
  refuseExplain(request.explainOptions);
  const { structuredQuery, aggregations = [] } = request.structuredAggregationQuery ?? {};
  const parsed = parseQuery(request.parent, structuredQuery);
  const bound = upTo(aggregations);
  const limit = Math.min(parsed.limit ?? Number.POSITIVE_INFINITY, bound ?? Number.POSITIVE_INFINITY);
  const query: Query = { ...parsed, limit: Number.isFinite(limit) ? limit : undefined };
  const view = openView(firestore, query.database, request);
  access.list(view, parsed);
  firestore.indexes.check(parsed, addedPaths(aggregations));
  const { documents, skipped } = await runInView(view, query);
  const readTime = readTimeOf(view);
  const aggregateFields = aggregate(documents, aggregations);
  access.call.aggregated(documents.length + skipped);
  if (view.begun) yield { transaction: view.begun, readTime };
  yield { result: { aggregateFields }, readTime };
}

/** Splits a collection group into runs of about the same number of documents; returns the places between them. */
export async function partitionQuery(
  firestore: Firestore,
  request: PartitionQueryRequest,
  access: Access,
): Promise<{ partitions: Cursor[]; nextPageToken?: string }> {
  access.requireServer("Partitioned queries");
  const query = parseQuery(request.parent, request.structuredQuery);
  if (query.scope.kind !== "group") throw invalidArgument("A partition query must be on a collection group.");
  const wanted = Number(request.partitionCount ?? 0);
  if (!(wanted > 0)) throw invalidArgument("partition_count must be greater than zero.");
  const view = openView(firestore, query.database, request.readTime ? { readTime: request.readTime } : {});
  firestore.indexes.check(query);
  const { documents } = runQuery(view.database, query, view.at);
  access.call.listed();
  const count = Math.min(wanted, MAX_PARTITIONS, Math.max(documents.length - 1, 0));
  const cuts = Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * documents.length) / (count + 1)));
  const names = [...new Set(cuts)].map((cut) => `${query.database}/documents/${documents[cut]?.path}`);
  return page(names, request);
}

function page(
  names: readonly string[],
  request: PartitionQueryRequest,
): { partitions: Cursor[]; nextPageToken?: string } {
  const from = request.pageToken ? Buffer.from(request.pageToken, "base64url").toString() : undefined;
  const rest = from === undefined ? names : names.filter((name) => compareKeys(keyOf(name), keyOf(from)) > 0);
  const size = request.pageSize && request.pageSize > 0 ? request.pageSize : rest.length;
  const shown = rest.slice(0, size);
  const partitions = shown.map((name): Cursor => ({ values: [new Reference(name)], before: true }));
  const last = shown.at(-1);
  if (shown.length === rest.length || last === undefined) return { partitions };
  return { partitions, nextPageToken: Buffer.from(last).toString("base64url") };
}

function keyOf(name: string): string {
  return pathKey(parseName(name).path);
}

async function runInView({ database, transaction, transactions, at }: View, query: Query): Promise<QueryResult> {
  if (!transaction || transaction.readTime !== undefined) return runQuery(database, query, at);
  let result: QueryResult | undefined;
  await transactions.lockQuery(
    transaction,
    predicateOf(query, () => result?.cutAt),
  );
  result = runQuery(database, query);
  return result;
}

function refuseExplain(options: unknown): void {
  if (options) throw new StatusError("UNIMPLEMENTED", "Query explain is not supported.");
}
