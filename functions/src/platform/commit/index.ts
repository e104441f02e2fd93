import { getApps } from "firebase-admin/app";
import type { Timestamp } from "firebase-admin/firestore";
import { now } from "../clock.ts";
import { FieldValue, firestore } from "../firestore.ts";
import { log } from "../log.ts";
import { CallFailed, call } from "./call.ts";
import { encodeCommit, type Write } from "./request.ts";
import { decodeCommit } from "./response.ts";

/**
 * A commit without Firestore's client. That goes over what is written five times (validation, its own form, gRPC's plain form, its classes,
 * bytes), which for what the ledger writes costs as much as the ledger. This goes over it once, says the same to the same server, and
 * does nothing else: whoever uses it has the client to fall back on.
 * Source: https://firebase.google.com/docs/firestore/reference/rpc/google.firestore.v1#google.firestore.v1.Firestore.Commit
 */
export type { Write } from "./request.ts";

const UNAUTHENTICATED = 16;
const TIMEOUT_MILLIS = 10_000;
/** After a failure of the connection it is left alone for a while. */
const PAUSE_MILLIS = 30_000;
/** INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED: nothing was written, and the client may put it better. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([3, 7, 12, UNAUTHENTICATED]);
let pausedUntil = 0;

/**
 * Writes all or nothing; answers when each document was last written. Throws what has gRPC's status as its `code`; ALREADY_EXISTS,
 * FAILED_PRECONDITION or NOT_FOUND where a condition does not hold. After another it may have been written all the same.
 * Bill: a write for each.
 */
export async function commitWrites(writes: readonly Write[]): Promise<(Timestamp | undefined)[]> {
  const project = getApps()[0]?.options.projectId ?? process.env.GCLOUD_PROJECT;
  if (project === undefined || isPaused()) return await commitByClient(writes);
  try {
    return await commitDirectly(`projects/${project}/databases/${firestore().databaseId}`, writes);
  } catch (error) {
    const isNotUnderstood = error instanceof CallFailed && NOT_UNDERSTOOD.has(error.code);
    if (error instanceof CallFailed && (error.isOfConnection || isNotUnderstood)) {
      pausedUntil = now() + PAUSE_MILLIS;
      log.warn("the direct way to Firestore is left alone for a while", { why: error.message, code: error.code });
    }
    if (isNotUnderstood) return await commitByClient(writes);
    throw error;
  }
}

function isPaused(): boolean {
  return now() < pausedUntil && now() >= pausedUntil - PAUSE_MILLIS;
}

async function commitByClient(writes: readonly Write[]): Promise<Timestamp[]> {
  const batch = firestore().batch();
  for (const { path, fields, removed = [], condition } of writes) {
    const document = firestore().doc(path);
    const gone = Object.fromEntries(removed.map((field) => [field, FieldValue.delete()]));
    if (condition === "new") batch.create(document, fields);
    else batch.update(document, { ...fields, ...gone }, { lastUpdateTime: condition });
  }
  return (await batch.commit()).map(({ writeTime }) => writeTime);
}

async function commitDirectly(database: string, writes: readonly Write[]): Promise<(Timestamp | undefined)[]> {
  const emulator = process.env.FIRESTORE_EMULATOR_HOST;
  const answer = await call({
    origin: emulator ? `http://${emulator}` : "https://firestore.googleapis.com",
    method: "/google.firestore.v1.Firestore/Commit",
    headers: {
      authorization: `Bearer ${emulator ? "owner" : await accessToken()}`,
      "google-cloud-resource-prefix": database,
      "x-goog-request-params": `database=${encodeURIComponent(database)}`,
    },
    message: encodeCommit(database, writes),
    timeoutMillis: TIMEOUT_MILLIS,
  });
  return decodeCommit(answer);
}

/** Of the service account; kept by the credential until shortly before it runs out. */
async function accessToken(): Promise<string> {
  try {
    const token = await getApps()[0]?.options.credential?.getAccessToken();
    if (token) return token.access_token;
  } catch (error) {
    throw new CallFailed(UNAUTHENTICATED, String(error), true);
  }
  throw new CallFailed(UNAUTHENTICATED, "there is no credential", true);
}
