import { getApps, initializeApp } from "firebase-admin/app";
import {
  type CollectionReference,
  type DocumentData,
  type Firestore,
  getFirestore,
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
  return firestore()
    .collection(path)
    .withConverter<z.infer<Shape>, DocumentData>({
      toFirestore: (record) => record,
      fromFirestore: (snapshot) => {
        const parsed = shape.safeParse(snapshot.data());
        if (!parsed.success) throw new CorruptRecord(snapshot.ref.path, parsed.error);
        return parsed.data;
      },
    });
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

/** Runs reads and then writes as one; tried again when others were in the way, so `work` must have no other effects. */
export function transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
  return firestore().runTransaction(work, { maxAttempts: MAX_ATTEMPTS });
}

const ALREADY_EXISTS = 6;

/** Whether a commit was refused because a document that it creates was there already. */
export function isAlreadyExists(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === ALREADY_EXISTS;
}

export type { CollectionReference, Transaction } from "firebase-admin/firestore";
export { FieldPath, FieldValue, Filter, Timestamp } from "firebase-admin/firestore";
