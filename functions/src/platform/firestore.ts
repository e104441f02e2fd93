import { getApps, initializeApp } from "firebase-admin/app";
import {
  type CollectionReference,
  type DocumentData,
  type DocumentReference,
  type Firestore,
  type FirestoreDataConverter,
  getFirestore,
  type Query,
  Timestamp,
  type Transaction,
} from "firebase-admin/firestore";
import * as z from "zod";
import { now } from "./clock.ts";

/** The project's Firestore database; connected when first asked for. */
export function firestore(): Firestore {
  return getFirestore(getApps()[0] ?? initializeApp());
}

/**
 * A collection whose documents have a shape. What is read is checked against it, so that a document written by hand or by an
 * older version fails loudly where it is read and not somewhere behind.
 */
export function collection<Shape extends z.ZodType<DocumentData>>(
  path: string,
  shape: Shape,
): CollectionReference<z.infer<Shape>> {
  return firestore().collection(path).withConverter(converterOf(shape));
}

/** The documents of all collections of a name, whatever they lie under; checked as those of {@link collection}. */
export function collectionGroup<Shape extends z.ZodType<DocumentData>>(
  name: string,
  shape: Shape,
): Query<z.infer<Shape>> {
  return firestore().collectionGroup(name).withConverter(converterOf(shape));
}

function converterOf<Shape extends z.ZodType<DocumentData>>(
  shape: Shape,
): FirestoreDataConverter<z.infer<Shape>, DocumentData> {
  return {
    toFirestore: (record) => record,
    fromFirestore: (snapshot) => checked(shape, snapshot.ref.path, snapshot.data()),
  };
}

/** What was read at a path, if it has the shape that it should have. */
export function checked<Shape extends z.ZodType>(shape: Shape, path: string, fields: unknown): z.infer<Shape> {
  const parsed = shape.safeParse(fields);
  if (!parsed.success) throw new CorruptRecord(path, parsed.error);
  return parsed.data;
}

/** A document does not have the shape that its collection promises. */
class CorruptRecord extends Error {
  override readonly name = "CorruptRecord";

  constructor(path: string, cause: z.ZodError) {
    super(`${path} is not as it should be: ${z.prettifyError(cause)}`, { cause });
  }
}

/** A moment as Firestore keeps it. */
export const Moment = z.instanceof(Timestamp);

export function timestamp(millis: number = now()): Timestamp {
  return Timestamp.fromMillis(millis);
}

/** More than the client's own default of 5: a document that many want at once is worth waiting for. */
const MAX_ATTEMPTS = 10;

/** Where new documents are put that are written together, or not at all: a transaction, or a batch. */
export interface Writes {
  create<T extends DocumentData>(document: DocumentReference<T>, data: T): unknown;
}

/** Runs reads and then writes as one; tried again when others were in the way, so `work` must have no other effects. */
export function transact<T>(work: (tx: Transaction) => Promise<T>, maxAttempts: number = MAX_ATTEMPTS): Promise<T> {
  return firestore().runTransaction(work, { maxAttempts });
}

/** Documents of a collection by id, read as one; undefined for those that are not there. One read each. */
export async function getAll<Shape extends DocumentData>(
  tx: Transaction,
  from: CollectionReference<Shape>,
  ids: readonly string[],
): Promise<Map<string, Shape | undefined>> {
  if (ids.length === 0) return new Map();
  const snapshots = await tx.getAll(...ids.map((id) => from.doc(id)));
  return new Map(snapshots.map((snapshot) => [snapshot.id, snapshot.data()]));
}

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;

/** Whether a commit was refused because a document that it creates was there already. */
export function isAlreadyExists(error: unknown): boolean {
  return codeOf(error) === ALREADY_EXISTS;
}

/** Whether a write on condition of a document's last update was refused because the document has been changed or deleted since. */
export function isChangedMeanwhile(error: unknown): boolean {
  const code = codeOf(error);
  return code === FAILED_PRECONDITION || code === NOT_FOUND;
}

/** Whether a transaction was given up because others would not let go of what it wanted. */
export function isContention(error: unknown): boolean {
  return codeOf(error) === ABORTED;
}

/** CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED: what the client repeats. */
const TRANSIENT: ReadonlySet<unknown> = new Set([1, 2, 4, 8, ABORTED, 13, 14, 16]);

/** Whether a transaction failed for a reason that may be gone at the next try. It may have been committed all the same. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(error));
}

/** The gRPC status code of an error of the Firestore client. */
function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

export type {
  CollectionReference,
  DocumentReference,
  DocumentSnapshot,
  Query,
  QueryDocumentSnapshot,
  Transaction,
} from "firebase-admin/firestore";
export { AggregateField, FieldPath, FieldValue, Filter, Timestamp } from "firebase-admin/firestore";
