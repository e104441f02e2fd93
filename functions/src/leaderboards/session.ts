import { prepareUse } from "../games/index.ts";
import { Failure } from "../platform/failure.ts";
import { type Transaction, transact } from "../platform/firestore.ts";
import { type Entered, enter, NOBODY, unchanged } from "./enter.ts";
import { facesOf } from "./face.ts";
import { keepForReview } from "./pending.ts";
import { type Board, players } from "./records.ts";
import type { Submission } from "./store.ts";

/** What a submission with the token of a session has come to. */
export interface Used {
  readonly entered: Entered;
  readonly inReview: boolean;
}

/**
 * Enters a score with the token of a game's session, which is used up by it. What was played counts from when the session was finished, or
 * from now. 2 reads and 2 writes, and what {@link facesOf} reads of who is new to the board. Refuses what `prepareUse` of games does, `implausible-score`, and what {@link enter} does.
 * @param isDoubtful whether the score is to be looked at first
 */
export async function storeWithSession(submission: Submission, token: string, isDoubtful: boolean): Promise<Used> {
  const { id, board, entering, caller } = submission;
  return await transact(async (tx) => {
    const reference = players(id).doc(entering.player);
    const before = (await tx.get(reference)).data();
    const face = before ?? (await facesOf([caller])).get(caller.uid) ?? NOBODY;
    const { player: user, attempt, score } = entering;
    const use = await prepareUse(tx, token, { user, board: id, attempt, score });
    const played = { ...entering, at: use.finishedAt ?? entering.at };
    if (use.isRepeated) return { entered: unchanged(board, before, played, true), inReview: isDoubtful };
    checkPace(board, score, played.at - use.startedAt);
    const entered = isDoubtful
      ? await doubted(tx, { ...submission, entering: played })
      : enter(board, before, played, face);
    if (entered.player) tx.set(reference, entered.player);
    use.write();
    return { entered, inReview: isDoubtful };
  });

  async function doubted(tx: Transaction, { entering: played }: Submission): Promise<Entered> {
    keepForReview(tx, { ...submission, entering: played });
    return unchanged(board, undefined, played, false);
  }
}

function checkPace({ maxPerSecond }: Board, score: number, millis: number): void {
  if (maxPerSecond === undefined || score <= (maxPerSecond * Math.max(0, millis)) / 1_000) return;
  throw new Failure("failed-precondition", "Nobody scores that much in that time.", {
    reason: "implausible-score",
    field: "score",
  });
}
