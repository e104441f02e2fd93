import { prepareUse } from "../games/index.ts";
import { Failure } from "../platform/failure.ts";
import type { Transaction } from "../platform/firestore.ts";
import { changePlayer } from "./change-player.ts";
import { type Entered, enter, type Face, NOBODY, unchanged } from "./enter.ts";
import { facesOf } from "./face.ts";
import { isKept, keepForReview } from "./pending.ts";
import type { Player } from "./records.ts";
import type { Board } from "./settings.ts";
import type { Submission } from "./store.ts";

/**
 * Enters a score with the token of a game's session, which is used up by it. What was played counts from when the session was finished, or
 * from now. 2 reads and 2 writes, to be looked at first 3 of each, and what {@link facesOf} reads of who is new to the board. Refuses what
 * `prepareUse` of games does, `implausible-score`, and what {@link enter} does.
 * @param isDoubtful whether the score is to be looked at first
 */
export async function storeWithSession(submission: Submission, token: string, isDoubtful: boolean): Promise<Entered> {
  const { id, board, entering, caller } = submission;
  return await changePlayer({ id, board, player: entering.player }, async (tx, before) => {
    const face = before ?? (await facesOf([caller])).get(caller.uid) ?? NOBODY;
    const { player: user, attempt, score } = entering;
    const use = await prepareUse(tx, token, { user, board: id, attempt, score });
    const played = { ...entering, at: use.finishedAt ?? entering.at };
    if (use.isRepeated) return { after: before, result: unchanged(board, before, played, true) };
    checkPace(board, score, played.at - use.startedAt);
    const one = { ...submission, entering: played };
    const entered = isDoubtful ? await keptForReview(tx, one, { before, face }) : enter(board, before, played, face);
    use.write();
    return { after: entered.player ?? before, result: entered };
  });
}

async function keptForReview(
  tx: Transaction,
  submission: Submission,
  known: { before: Player | undefined; face: Face },
): Promise<Entered> {
  const repeated = (await isKept(tx, submission)) || keepForReview(tx, submission, known);
  return unchanged(submission.board, known.before, submission.entering, repeated);
}

function checkPace({ maxPerSecond }: Board, score: number, millis: number): void {
  if (maxPerSecond === undefined || score <= (maxPerSecond * Math.max(0, millis)) / 1_000) return;
  throw new Failure("failed-precondition", "Nobody scores that much in that time.", {
    reason: "implausible-score",
    field: "score",
  });
}
