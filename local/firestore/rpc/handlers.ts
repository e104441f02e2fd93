import { setTimeout as sleep } from "node:timers/promises";
import { Access } from "../access/access.ts";
import type { Caller } from "../access/caller.ts";
import { holdBack, whenKept } from "../durability/kept.ts";
import type { Firestore } from "../firestore.ts";
import type { Outgoing } from "../listen/stream.ts";
import { Call, type Via } from "../record/call.ts";
import { type StatusError, toStatus } from "../wire/status.ts";
import { partitionQuery, runAggregationQuery, runStructuredQuery } from "./query.ts";
import { batchGetDocuments, getDocument, listCollectionIds, listDocuments } from "./read.ts";
import { listen, write } from "./streams.ts";
import { beginTransaction, rollback } from "./transaction.ts";
import { batchWrite, commit, createDocument, deleteDocument, updateDocument } from "./write.ts";

/** A method that answers once. */
type Unary = (firestore: Firestore, request: never, access: Access) => Promise<object>;
/** A method that answers with a stream of messages. */
type Streaming = (firestore: Firestore, request: never, access: Access) => AsyncGenerator<object>;

/** A method that takes and gives messages for as long as the client wants. */
type Duplex = (
  firestore: Firestore,
  requests: AsyncIterable<never>,
  out: Outgoing<object>,
  access: Access,
) => Promise<void>;

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

const DUPLEX: Record<string, Duplex> = { Listen: listen, Write: write };

/** Methods that touch no documents, and so are not delayed. */
const IMMEDIATE = new Set(["BeginTransaction", "Rollback"]);

/** Whether a method is one that a single request starts. */
export function isServed(method: string): boolean {
  return method in UNARY || method in STREAMING;
}

/** Whether a method is a stream in both directions. */
export function isDuplex(method: string): boolean {
  return method in DUPLEX;
}

/** Serves a stream in both directions, until the client ends it. What is thrown ends it with that status. */
export async function serveDuplex(
  firestore: Firestore,
  method: string,
  requests: AsyncIterable<object>,
  { out, caller, via = "gRPC" }: { out: Outgoing<object>; caller: Caller; via?: Via },
): Promise<void> {
  const held = firestore.data ? holdBack(out, firestore.data) : out;
  const call = new Call(firestore, { caller, via, method, request: {} });
  await (DUPLEX[method] as Duplex)(firestore, requests as AsyncIterable<never>, held, new Access(firestore, call));
}

/** Serves a method that answers once. */
export async function serveUnary(
  firestore: Firestore,
  method: string,
  request: object,
  caller: Caller,
  via: Via = "gRPC",
): Promise<object> {
  const call = new Call(firestore, { caller, via, method, request });
  try {
    await delay(firestore, method);
    const made = (UNARY[method] as Unary)(firestore, request as never, new Access(firestore, call));
    const answer = firestore.data ? await whenKept(firestore.data, made) : await made;
    call.end();
    return answer;
  } catch (error) {
    call.fail(toStatus(error));
    throw error;
  }
}

/** Serves a method that answers with a stream. */
export async function* serveStreaming(
  firestore: Firestore,
  method: string,
  request: object,
  caller: Caller,
  via: Via = "gRPC",
): AsyncGenerator<object> {
  const call = new Call(firestore, { caller, via, method, request });
  let failure: StatusError | undefined;
  try {
    await delay(firestore, method);
    const answers = (STREAMING[method] as Streaming)(firestore, request as never, new Access(firestore, call));
    if (firestore.data) {
      // All that it tells is worked out before the first message.
      const first = await whenKept(firestore.data, answers.next());
      if (!first.done) yield first.value;
    }
    yield* answers;
  } catch (error) {
    failure = toStatus(error);
    throw error;
  } finally {
    // Also when whoever asked has heard enough.
    if (failure) call.fail(failure);
    else call.end();
  }
}

/** The latency dial. */
async function delay({ latencyMillis }: Firestore, method: string): Promise<void> {
  if (latencyMillis > 0 && !IMMEDIATE.has(method)) await sleep(latencyMillis);
}
