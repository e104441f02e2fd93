import type { Timestamp } from "firebase-admin/firestore";
import { FieldValue, firestore } from "../firestore.ts";
import { decodeCommit } from "./decode.ts";
import { encodeWrites, type Write } from "./encode.ts";
import { askOnce, isNotUnderstood, reachable } from "./way.ts";

/**
 * Writes all or nothing; answers when each document was last written. Throws what has gRPC's status as its `code`; ALREADY_EXISTS,
 * FAILED_PRECONDITION or NOT_FOUND where a condition does not hold. After another it may have been written all the same.
 * Bill: a write for each.
 * Source: https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#google.firestore.v1.Firestore.Commit
 */
export async function commitWrites(writes: readonly Write[]): Promise<(Timestamp | undefined)[]> {
  const database = reachable();
  if (database === undefined) return await commitByClient(writes);
  try {
    return decodeCommit(await askOnce(database, "Commit", encodeWrites(database, writes)));
  } catch (error) {
    if (isNotUnderstood(error)) return await commitByClient(writes);
    throw error;
  }
}

async function commitByClient(writes: readonly Write[]): Promise<Timestamp[]> {
  const batch = firestore().batch();
  for (const { path, fields, removed, condition } of writes) {
    const document = firestore().doc(path);
    if (condition === "new") batch.create(document, fields);
    else batch.update(document, changesByClient(fields, removed), { lastUpdateTime: condition });
  }
  return (await batch.commit()).map(({ writeTime }) => writeTime);
}

/** What an update by the client has to be told. */
export function changesByClient(fields: Write["fields"], removed: readonly string[] = []): Record<string, unknown> {
  return { ...fields, ...Object.fromEntries(removed.map((field) => [field, FieldValue.delete()])) };
}
