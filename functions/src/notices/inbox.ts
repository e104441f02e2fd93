import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { FieldPath, getAll, Timestamp, timestamp, transact } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { MarkedRead, Notices, NoticesRequest, ReadRequest } from "./contract.ts";
import { notices } from "./records.ts";

/** A page of what the caller was told, newest first. One read for each. */
export async function listNotices(
  caller: Caller,
  { limit, cursor }: z.output<typeof NoticesRequest>,
): Promise<Notices> {
  let query = notices(caller.uid).orderBy("at", "desc").orderBy(FieldPath.documentId(), "desc").limit(limit);
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.get();
  const last = docs.at(-1);
  return {
    notices: docs.map((document) => {
      const { kind, data, at, readAt } = document.data();
      return { id: document.id, kind, data, isRead: readAt !== undefined, at: at.toMillis() };
    }),
    ...(last && docs.length === limit ? { nextCursor: cursorOf(last.data().at, last.id) } : {}),
  };
}

/** Notes that the caller has read notices. A read for each, and a write for each that they had not; what is not there is passed over. */
export async function markRead(caller: Caller, { ids }: z.output<typeof ReadRequest>): Promise<MarkedRead> {
  return await transact(async (tx) => {
    const known = await getAll(tx, notices(caller.uid), [...new Set(ids)]);
    const unread = [...known].filter(([, notice]) => notice && !notice.readAt);
    for (const [id] of unread) tx.update(notices(caller.uid).doc(id), { readAt: timestamp() });
    return { marked: unread.length };
  });
}

function cursorOf(at: Timestamp, id: string): string {
  return `${at.seconds}.${at.nanoseconds}.${id}`;
}

function readCursor(cursor: string): [Timestamp, string] {
  const [, seconds, nanoseconds, id = ""] = /^(\d{1,11})\.(\d{1,9})\.(.+)$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [new Timestamp(Number(seconds), Number(nanoseconds)), id];
}
