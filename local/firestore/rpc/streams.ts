import { randomBytes } from "node:crypto";
import type { Firestore } from "../firestore.ts";
import { ListenStream, type Outgoing } from "../listen/stream.ts";
import type { ListenRequest, ListenResponse, WriteRequest, WriteResponse } from "../wire/messages.ts";
import { invalidArgument } from "../wire/status.ts";
import { commit } from "./write.ts";

const TOKEN_BYTES = 8;

/** Tells a client what its targets have, and what changes, until it ends the stream. */
export async function listen(
  firestore: Firestore,
  requests: AsyncIterable<ListenRequest>,
  out: Outgoing<ListenResponse>,
): Promise<void> {
  const stream = new ListenStream(firestore, out, () => undefined);
  try {
    for await (const request of requests) stream.receive(request);
  } finally {
    stream.close();
  }
}

/** Makes the commits of one client, one after the other. The first request names the database; a commit that is refused ends the stream. */
export async function write(
  firestore: Firestore,
  requests: AsyncIterable<WriteRequest>,
  out: Outgoing<WriteResponse>,
): Promise<void> {
  let database: string | undefined;
  for await (const request of requests) {
    const streamToken = randomBytes(TOKEN_BYTES);
    if (database === undefined) {
      database = request.database;
      if (request.writes && request.writes.length > 0) throw invalidArgument("The first request cannot have writes.");
      firestore.open(database);
      out.send({ streamId: randomBytes(TOKEN_BYTES).toString("hex"), streamToken });
      continue;
    }
    const { writeResults, commitTime } = await commit(firestore, { database, writes: request.writes ?? [] });
    if (!out.send({ streamToken, writeResults, commitTime })) await out.drained();
  }
}
