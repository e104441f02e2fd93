import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "../access/access.ts";
import type { Firestore } from "../firestore.ts";
import { ListenStream, type Outgoing } from "../listen/stream.ts";
import type {
  CommitRequest,
  CommitResponse,
  ListenRequest,
  ListenResponse,
  WriteRequest,
  WriteResponse,
} from "../wire/messages.ts";
import { invalidArgument, StatusError, toStatus } from "../wire/status.ts";
import { commit } from "./write.ts";

const TOKEN_BYTES = 8;
const MAX_TIMER_MILLIS = 2 ** 31 - 1;

/** Tells a client what its targets have, and what changes, until it ends the stream. */
export async function listen(
  firestore: Firestore,
  requests: AsyncIterable<ListenRequest>,
  out: Outgoing<ListenResponse>,
  access: Access,
): Promise<void> {
  const stream = new ListenStream(firestore, out, access);
  const stop = firestore.rules.onChange(() => stream.judgeAgain());
  try {
    await Promise.race([takeAll(stream, untilExpiry(requests, access)), stream.failed]);
  } finally {
    stop();
    stream.close();
  }
}

/** Makes the commits of one client, one after the other. The first request names the database; a commit that is refused ends the stream. */
export async function write(
  firestore: Firestore,
  requests: AsyncIterable<WriteRequest>,
  out: Outgoing<WriteResponse>,
  access: Access,
): Promise<void> {
  let database: string | undefined;
  for await (const request of requests) {
    const streamToken = randomBytes(TOKEN_BYTES);
    if (database === undefined) {
      database = request.database;
      if (request.writes && request.writes.length > 0) throw invalidArgument("The first request cannot have writes.");
      firestore.open(database);
      await out.send([{ streamId: randomBytes(TOKEN_BYTES).toString("hex"), streamToken }]);
      continue;
    }
    const { writeResults, commitTime } = await commitOne(firestore, { database, writes: request.writes ?? [] }, access);
    await out.send([{ streamToken, writeResults, commitTime }]);
  }
}

async function commitOne(firestore: Firestore, request: CommitRequest, access: Access): Promise<CommitResponse> {
  const call = access.call.another("Write", request);
  try {
    const answer = await commit(firestore, request, access.during(call));
    call.end();
    return answer;
  } catch (error) {
    call.fail(toStatus(error));
    throw error;
  }
}

async function takeAll(stream: ListenStream, requests: AsyncIterable<ListenRequest>): Promise<void> {
  for await (const request of requests) stream.receive(request);
}

/** The requests of a caller for as long as their token holds. They come back with a new one, and go on where they were. */
async function* untilExpiry<Request>(requests: AsyncIterable<Request>, { caller }: Access): AsyncGenerator<Request> {
  const expiresAt = caller.kind === "app" ? caller.expiresAt : undefined;
  if (expiresAt === undefined) {
    yield* requests;
    return;
  }
  const over = new AbortController();
  const iterator = requests[Symbol.asyncIterator]();
  const expiry = sleep(Math.min(expiresAt - Date.now(), MAX_TIMER_MILLIS), undefined, {
    signal: over.signal,
    ref: false,
  }).then(expired);
  // It loses the last race when the stream ends in time.
  expiry.catch(() => undefined);
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), expiry]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    over.abort();
  }
}

function expired(): never {
  throw new StatusError("UNAUTHENTICATED", "The token has expired.");
}
