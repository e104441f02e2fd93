import { randomBytes } from "node:crypto";
import type { Access } from "../access/access.ts";
import { checkKeeping } from "../durability/kept.ts";
import type { Firestore } from "../firestore.ts";
import { checkSegment, documentPath, joinPath, parseName, parseParent } from "../model/path.ts";
import { Timestamp } from "../model/value.ts";
import { documentOf } from "../store/batch.ts";
import { checkWrite } from "../store/check.ts";
import type { LiveVersion } from "../store/document.ts";
import type { Transaction } from "../transactions/transactions.ts";
import type { WireDocument } from "../wire/codec.ts";
import type {
  BatchWriteRequest,
  CommitRequest,
  CommitResponse,
  CreateDocumentRequest,
  DeleteDocumentRequest,
  DocumentMask,
  UpdateDocumentRequest,
  Write,
  WriteResult,
} from "../wire/messages.ts";
import { Code, invalidArgument, toStatus } from "../wire/status.ts";
import { liveDocument } from "./view.ts";

const ID_LENGTH = 20;
const ID_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MAX_BATCH_WRITES = 500;

export async function commit(firestore: Firestore, request: CommitRequest, access: Access): Promise<CommitResponse> {
  const { database, writes = [], transaction: id } = request;
  const transaction = id && id.length > 0 ? firestore.open(database).transactions.find(id) : undefined;
  return await commitWrites(firestore, access, { database, writes, transaction });
}

export async function createDocument(
  firestore: Firestore,
  request: CreateDocumentRequest,
  access: Access,
): Promise<WireDocument> {
  const { parent, collectionId, document } = request;
  checkSegment(collectionId);
  if (document?.name)
    throw invalidArgument("document.name must not be set: the request names the document by its parts.");
  const { database, path: parentPath } = parseParent(parent);
  const id = request.documentId || randomId();
  const path = joinPath(joinPath(parentPath, collectionId), id);
  const name = `${database}/documents/${path}`;
  const update: WireDocument = { name, fields: document?.fields ?? new Map() };
  await commitWrites(firestore, access, { database, writes: [{ update, currentDocument: { exists: false } }] });
  return written(firestore, name, request.mask);
}

export async function updateDocument(
  firestore: Firestore,
  request: UpdateDocumentRequest,
  access: Access,
): Promise<WireDocument> {
  const { document, updateMask, currentDocument } = request;
  if (!document) throw invalidArgument("The request has no document.");
  const write: Write = {
    update: document,
    ...(updateMask ? { updateMask } : {}),
    ...(currentDocument ? { currentDocument } : {}),
  };
  await commitWrites(firestore, access, { database: parseName(document.name).database, writes: [write] });
  return written(firestore, document.name, request.mask);
}

export async function deleteDocument(
  firestore: Firestore,
  request: DeleteDocumentRequest,
  access: Access,
): Promise<object> {
  const { name, currentDocument } = request;
  const write: Write = { delete: name, ...(currentDocument ? { currentDocument } : {}) };
  await commitWrites(firestore, access, { database: parseName(name).database, writes: [write] });
  return {};
}

/** Applies each write on its own: some may be made and others refused. One that could never be made refuses them all. */
export async function batchWrite(
  firestore: Firestore,
  { database, writes = [] }: BatchWriteRequest,
  access: Access,
): Promise<{ writeResults: WriteResult[]; status: { code: number; message?: string }[] }> {
  firestore.open(database);
  if (writes.length > MAX_BATCH_WRITES) throw invalidArgument(`A batch can hold at most ${MAX_BATCH_WRITES} writes.`);
  const names = writes.map(documentOf);
  if (new Set(names).size !== names.length) {
    throw invalidArgument("A batch of writes cannot name the same document more than once.");
  }
  access.requireServer("Batch writes");
  for (const write of writes) checkWrite(write, database);
  const outcomes = await Promise.allSettled(
    writes.map((write) => commitWrites(firestore, access, { database, writes: [write] })),
  );
  return {
    writeResults: outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? (outcome.value.writeResults[0] ?? {}) : {},
    ),
    status: outcomes.map((outcome) => {
      if (outcome.status === "fulfilled") return { code: Code.OK };
      const { code, message } = toStatus(outcome.reason);
      return { code, message };
    }),
  };
}

async function commitWrites(
  firestore: Firestore,
  access: Access,
  request: { database: string; writes: readonly Write[]; transaction?: Transaction | undefined },
): Promise<CommitResponse> {
  const { writes, transaction } = request;
  const open = firestore.open(request.database);
  checkKeeping(firestore.data);
  const { results, time } = await open.transactions.commit(transaction, writes, access.writes(open));
  const deletes = writes.filter((write) => write.delete !== undefined).length;
  access.call.wrote(writes.length - deletes, deletes);
  return { writeResults: results, commitTime: Timestamp.fromMicros(time) };
}

function written(firestore: Firestore, name: string, mask: DocumentMask | undefined): WireDocument {
  const { database } = firestore.open(parseName(name).database);
  const path = documentPath(name, database.name);
  return liveDocument(database.name, path, database.get(path) as LiveVersion, mask);
}

function randomId(): string {
  return [...randomBytes(ID_LENGTH)].map((byte) => ID_CHARACTERS[byte % ID_CHARACTERS.length]).join("");
}
