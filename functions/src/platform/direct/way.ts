import { getApps } from "firebase-admin/app";
import { now } from "../clock.ts";
import { firestore } from "../firestore.ts";
import { log } from "../log.ts";
import { CallFailed, call } from "./call.ts";

/** The way to the server, for as long as it is passable. */

const UNKNOWN = 2;
const UNAUTHENTICATED = 16;
const TIMEOUT_MILLIS = 10_000;
/** After a failure of the connection it is left alone for a while. */
const PAUSE_MILLIS = 30_000;
/** INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED: nothing was done, and the client may put it better. */
const NOT_UNDERSTOOD: ReadonlySet<unknown> = new Set([3, 7, 12, UNAUTHENTICATED]);
let pausedUntil = 0;

/** Methods of google.firestore.v1.Firestore. */
export type Method = "BatchGetDocuments" | "BatchWrite" | "Commit";

/** The database as `projects/p/databases/(default)`; undefined while the client is to be used. */
export function reachable(): string | undefined {
  const isPaused = now() < pausedUntil && now() >= pausedUntil - PAUSE_MILLIS;
  const project = getApps()[0]?.options.projectId ?? process.env.GCLOUD_PROJECT;
  if (project === undefined || isPaused) return undefined;
  return `projects/${project}/databases/${firestore().databaseId}`;
}

/** Calls a method. Throws {@link CallFailed}; if the way is to blame, it is not {@link reachable} for a while. */
export async function ask(database: string, method: Method, message: Buffer): Promise<Buffer[]> {
  const emulator = process.env.FIRESTORE_EMULATOR_HOST;
  try {
    return await call({
      origin: emulator ? `http://${emulator}` : "https://firestore.googleapis.com",
      method: `/google.firestore.v1.Firestore/${method}`,
      headers: {
        authorization: `Bearer ${emulator ? "owner" : await accessToken()}`,
        "google-cloud-resource-prefix": database,
        "x-goog-request-params": `database=${encodeURIComponent(database)}`,
      },
      message,
      timeoutMillis: TIMEOUT_MILLIS,
    });
  } catch (error) {
    if (error instanceof CallFailed && (error.isOfConnection || isNotUnderstood(error))) {
      pausedUntil = now() + PAUSE_MILLIS;
      log.warn("the direct way to Firestore is left alone for a while", { why: error.message, code: error.code });
    }
    throw error;
  }
}

/** {@link ask} for a method that has one answer. */
export async function askOnce(database: string, method: Method, message: Buffer): Promise<Buffer> {
  const [answer] = await ask(database, method, message);
  if (!answer) throw new CallFailed(UNKNOWN, "no answer", true);
  return answer;
}

/** Whether a call failed for how it was put, so that nothing was done. */
export function isNotUnderstood(error: unknown): boolean {
  return error instanceof CallFailed && NOT_UNDERSTOOD.has(error.code);
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
