import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import type { Transaction } from "../platform/firestore.ts";
import { type Session, type SessionState, sessions } from "./records.ts";

/** A session of the user's own. One read. Refuses `unknown-session`. */
export async function readOwn(tx: Transaction, user: string, id: string): Promise<Session> {
  const session = (await tx.get(sessions().doc(id))).data();
  if (session?.user !== user) throw unknownSession();
  return session;
}

/** How a session stands, whatever was written down of it. */
export function stateOf({ state, tokenExpiresAt }: Session): SessionState {
  return state === "open" && tokenExpiresAt.toMillis() <= now() ? "expired" : state;
}

/** Refuses a session that is over: `session-finished`, `too-many-sessions`, `session-expired`. */
export function checkOpen(session: Session): void {
  checkNotClosed(session);
  if (session.state === "finished") {
    throw new Failure("failed-precondition", "This session is finished.", { reason: "session-finished" });
  }
  if (stateOf(session) === "expired") {
    throw new Failure("failed-precondition", "This session has lasted as long as it may.", {
      reason: "session-expired",
    });
  }
}

/** Refuses a session that was closed because its user has begun others: `too-many-sessions`. */
export function checkNotClosed({ state }: Session): void {
  if (state !== "expired") return;
  throw new Failure("failed-precondition", "This session was closed: too many others were begun since.", {
    reason: "too-many-sessions",
  });
}

/** Refuses a score where another one is known: `score-differs`. */
export function checkScore(score: number, known: number | undefined): void {
  if (known === undefined || known === score) return;
  throw new Failure("already-exists", "This session has another score.", { reason: "score-differs", field: "score" });
}

export function unknownSession(): Failure {
  return new Failure("not-found", "You have no such session.", { reason: "unknown-session" });
}
