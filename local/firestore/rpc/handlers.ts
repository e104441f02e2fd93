import { setTimeout as sleep } from "node:timers/promises";
import type { Firestore } from "../firestore.ts";
import { partitionQuery, runAggregationQuery, runStructuredQuery } from "./query.ts";
import { batchGetDocuments, getDocument, listCollectionIds, listDocuments } from "./read.ts";
import { beginTransaction, rollback } from "./transaction.ts";
import { batchWrite, commit, createDocument, deleteDocument, updateDocument } from "./write.ts";

/** A method that answers once. */
type Unary = (firestore: Firestore, request: never) => Promise<object>;
/** A method that answers with a stream of messages. */
type Streaming = (firestore: Firestore, request: never) => AsyncGenerator<object>;

/** The methods of `google.firestore.v1.Firestore` that are served, by name. */
const UNARY: Record<string, Unary> = {
  GetDocument: getDocument,
  ListDocuments: listDocuments,
  ListCollectionIds: listCollectionIds,
  CreateDocument: createDocument,
  UpdateDocument: updateDocument,
  DeleteDocument: deleteDocument,
  Commit: commit,
  BatchWrite: batchWrite,
  BeginTransaction: beginTransaction,
  Rollback: rollback,
  PartitionQuery: partitionQuery,
};

const STREAMING: Record<string, Streaming> = {
  BatchGetDocuments: batchGetDocuments,
  RunQuery: runStructuredQuery,
  RunAggregationQuery: runAggregationQuery,
};

/** Methods that touch no documents, and so are not delayed. */
const IMMEDIATE = new Set(["BeginTransaction", "Rollback"]);

export function isServed(method: string): boolean {
  return method in UNARY || method in STREAMING;
}

/** Serves a method that answers once. */
export async function serveUnary(firestore: Firestore, method: string, request: object): Promise<object> {
  await delay(firestore, method);
  return await (UNARY[method] as Unary)(firestore, request as never);
}

/** Serves a method that answers with a stream. */
export async function* serveStreaming(firestore: Firestore, method: string, request: object): AsyncGenerator<object> {
  await delay(firestore, method);
  yield* (STREAMING[method] as Streaming)(firestore, request as never);
}

/** The latency dial. */
async function delay({ latencyMillis }: Firestore, method: string): Promise<void> {
  if (latencyMillis > 0 && !IMMEDIATE.has(method)) await sleep(latencyMillis);
}
