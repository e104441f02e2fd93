import { firestore } from "../firestore.ts";
import { CallFailed } from "./call.ts";
import { changesByClient } from "./commit.ts";
import { decodeOutcomes, type Outcome } from "./decode.ts";
import { encodeWrites, type Write } from "./encode.ts";
import { askOnce, isNotUnderstood, reachable } from "./way.ts";

/** What Firestore takes at once. */
const MAX_WRITES = 500;

/**
 * Writes each for itself, and answers for each what became of it: ALREADY_EXISTS (6), FAILED_PRECONDITION (9) or NOT_FOUND (5) where its
 * condition does not hold; of one with another code, as UNAVAILABLE (14), it is not known whether it was written. Nothing is tried again.
 * At most 500, to different documents. Bill: a write for each that is written.
 * Source: https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#google.firestore.v1.Firestore.BatchWrite
 */
export async function writeEach(writes: readonly Write[]): Promise<Outcome[]> {
  if (writes.length === 0) return [];
  if (writes.length > MAX_WRITES) throw new RangeError(`${writes.length} writes are more than ${MAX_WRITES}`);
  const database = reachable();
  if (database === undefined) return await writeByClient(writes);
  const message = encodeWrites(database, writes);
  try {
    return decodeOutcomes(await askOnce(database, "BatchWrite", message), writes.length);
  } catch (error) {
    if (isNotUnderstood(error)) return await writeByClient(writes);
    if (!(error instanceof CallFailed)) throw error;
    return writes.map(() => ({ isWritten: false, code: error.code }));
  }
}

async function writeByClient(writes: readonly Write[]): Promise<Outcome[]> {
  const writer = firestore().bulkWriter({ throttling: false });
  writer.onWriteError(() => false);
  const outcomes = writes.map(async ({ path, fields, removed, condition }): Promise<Outcome> => {
    const document = firestore().doc(path);
    try {
      const { writeTime } =
        condition === "new"
          ? await writer.create(document, fields)
          : await writer.update(document, changesByClient(fields, removed), { lastUpdateTime: condition });
      return { isWritten: true, updateTime: writeTime };
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      return { isWritten: false, code };
    }
  });
  // Not waited for: it never comes back if one of them is refused before it is sent.
  void writer.flush();
  return await Promise.all(outcomes);
}

function codeOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}
