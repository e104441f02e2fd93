import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import type { Appended, AppendRequest } from "./contract.ts";
import { type Packed, pack } from "./event-log.ts";
import { chunkId, chunks, type Session } from "./records.ts";
import { checkOpen, readOwn } from "./session.ts";

/** A part of a session's log, and where it goes. */
export interface NewChunk extends Packed {
  readonly session: string;
  readonly chunk: number;
}

/**
 * Keeps a part of a session's log, once for its number. Bill: 2 reads and 1 write; repeated 2 reads. Refuses `chunk-too-large`,
 * `chunk-differs`, `unknown-session`, `session-finished`, `session-expired`, `too-many-sessions`.
 */
export async function append({ uid }: Caller, request: z.output<typeof AppendRequest>): Promise<Appended> {
  const { session: id, chunk, events } = request;
  const packed = await pack(events);
  return await transact(async (tx) => {
    const session = await readOwn(tx, uid, id);
    const prepared = await prepareChunk(tx, session, { session: id, chunk, ...packed });
    if (!prepared.isKnown) checkOpen(session);
    prepared.write();
    return { chunk, bytes: packed.zipped.length };
  });
}

/** Looks whether a chunk was kept before. One read, and one write if it was not. Refuses `chunk-differs`. */
export async function prepareChunk(
  tx: Transaction,
  { startedAt, expiresAt }: Session,
  { session, chunk, print, zipped }: NewChunk,
): Promise<{ readonly isKnown: boolean; write(): void }> {
  const reference = chunks(session).doc(chunkId(chunk));
  const known = (await tx.get(reference)).data();
  if (!known?.startedAt.isEqual(startedAt)) {
    const kept = { print, zipped, at: timestamp(), startedAt, keptUntil: expiresAt };
    return { isKnown: false, write: () => tx.set(reference, kept) };
  }
  checkPrint(print, known.print);
  return { isKnown: true, write: () => undefined };
}

/** Refuses events where others were sent before: `chunk-differs`. */
export function checkPrint(print: string | undefined, known: string | undefined): void {
  if (print === known) return;
  throw new Failure("already-exists", "This part of the log was sent before with other events.", {
    reason: "chunk-differs",
    field: "events",
  });
}
