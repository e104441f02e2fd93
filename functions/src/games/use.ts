import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp } from "../platform/firestore.ts";
import { type Session, sessions } from "./records.ts";
import { checkNotClosed, checkScore, unknownSession } from "./session.ts";
import { type Bearer, readToken, verifyToken } from "./token.ts";

/** A score that is submitted to a leaderboard with a session's token. */
export interface Use extends Bearer {
  readonly score: number;
  /** What tells this submission from others of the same user and board. */
  readonly attempt: string;
}

/** Times are milliseconds since the epoch. */
export interface PreparedUse {
  readonly session: string;
  readonly startedAt: number;
  /** Absent while the session is not finished. */
  readonly finishedAt?: number;
  /** Whether the same attempt has used it before; then nothing is written. */
  readonly isRepeated: boolean;
  write(): void;
}

/**
 * Marks a session as used by a score, once, in the caller's transaction: reads now, and `write` writes. A session need not be finished, but
 * if it is then with this score; afterwards it can be finished with no other. The same attempt again passes even if the token has run out
 * meanwhile.
 *
 * Bill: 1 read and 1 write; repeated 1 read. Refuses `token-invalid`, `token-foreign`, `token-expired`, `unknown-session`,
 * `too-many-sessions`, `session-used`, `attempt-reused`, `score-differs`.
 */
export async function prepareUse(tx: Transaction, token: string, use: Use): Promise<PreparedUse> {
  const { session: id, startedAt } = readToken(token, use);
  const reference = sessions().doc(id);
  const session = (await tx.get(reference)).data();
  const isRepeated = session !== undefined && isSame(session, use);
  if (!isRepeated) verifyToken(token, use);
  // Of an earlier session under the same key there is nothing left but its token.
  if (session?.startedAt.toMillis() !== startedAt) throw unknownSession();
  if (!isRepeated) checkUnused(session, use);
  const { attempt, score } = use;
  return {
    session: id,
    startedAt,
    ...(session.finishedAt ? { finishedAt: session.finishedAt.toMillis() } : {}),
    isRepeated,
    write: () => {
      if (!isRepeated) tx.update(reference, { use: { attempt, score, at: timestamp() } });
    },
  };
}

function isSame({ use: before }: Session, { attempt, score }: Use): boolean {
  if (before?.attempt !== attempt) return false;
  if (before.score === score) return true;
  throw new Failure("already-exists", "This attempt had another score.", {
    reason: "attempt-reused",
    field: "attempt",
  });
}

function checkUnused(session: Session, { score }: Use): void {
  checkNotClosed(session);
  if (session.use) {
    throw new Failure("already-exists", "A score was submitted with this session before.", { reason: "session-used" });
  }
  checkScore(score, session.score);
}
