import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath, type QueryDocumentSnapshot } from "../platform/firestore.ts";
import type { Events, EventsRequest } from "./contract.ts";
import { unpack } from "./event-log.ts";
import { type Chunk, chunkId, chunks, sessions } from "./records.ts";
import { stateOf, unknownSession } from "./session.ts";

/** A page of a session's log. One read for the session and one for each chunk. Refuses `unknown-session`. */
export async function readLog(_caller: Caller, request: z.output<typeof EventsRequest>): Promise<Events> {
  const { session: id, limit, cursor } = request;
  const session = (await sessions().doc(id).get()).data();
  if (!session) throw unknownSession();
  let query = chunks(id).orderBy(FieldPath.documentId()).limit(limit);
  if (cursor !== undefined) query = query.startAfter(chunkId(cursor));
  const { docs } = await query.get();
  const last = docs.at(-1);
  const own = docs.filter((document) => document.data().startedAt.isEqual(session.startedAt));
  const { user, game, score, use } = session;
  return {
    user,
    game,
    state: stateOf(session),
    ...(score === undefined ? {} : { score }),
    ...(use ? { attempt: use.attempt } : {}),
    chunks: await Promise.all(own.map(unpacked)),
    ...(last && docs.length === limit ? { nextCursor: Number(last.id) } : {}),
  };
}

async function unpacked(document: QueryDocumentSnapshot<Chunk>): Promise<Events["chunks"][number]> {
  const { zipped, at } = document.data();
  return { chunk: Number(document.id), at: at.toMillis(), events: await unpack(zipped) };
}
