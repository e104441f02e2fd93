import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { checkPrint, type NewChunk, prepareChunk } from "./append.ts";
import type { FinishRequest, Result } from "./contract.ts";
import { pack } from "./event-log.ts";
import { type Session, sessions } from "./records.ts";
import { resultOf } from "./results.ts";
import { checkOpen, checkScore, readOwn } from "./session.ts";

/**
 * Closes a session with its final score. Bill: 1 read and 1 write, and as many for events; repeated 1 read. Refuses `score-differs` if it
 * was finished with another score or another one was submitted to its leaderboard, and what {@link append} refuses.
 */
export async function finish({ uid }: Caller, request: z.output<typeof FinishRequest>): Promise<Result> {
  const { session: id, score, events } = request;
  const last = events && { session: id, chunk: events.chunk, ...(await pack(events.events)) };
  return await transact(async (tx) => {
    const session = await readOwn(tx, uid, id);
    const finished = session.state === "finished" ? session : await close(tx, session, { id, score, last });
    checkScore(score, finished.score);
    checkPrint(last?.print, finished.lastEvents);
    return resultOf(id, finished);
  });
}

interface Ending {
  readonly id: string;
  readonly score: number;
  readonly last: NewChunk | undefined;
}

async function close(tx: Transaction, session: Session, { id, score, last }: Ending): Promise<Session> {
  checkOpen(session);
  checkScore(score, session.use?.score);
  const chunk = last && (await prepareChunk(tx, session, last));
  const ending = {
    state: "finished" as const,
    score,
    finishedAt: timestamp(),
    ...(last ? { lastEvents: last.print } : {}),
  };
  tx.update(sessions().doc(id), ending);
  chunk?.write();
  return { ...session, ...ending };
}
