import * as z from "zod";
import { openReview, readReview } from "../fraud/index.ts";
import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../platform/firestore.ts";
import { deterministicId } from "../platform/ids.ts";
import { boardOf } from "./board.ts";
import { changePlayer } from "./change-player.ts";
import { type Entered, type Entering, enter, type Face, NOBODY, unchanged } from "./enter.ts";
import { facesOf } from "./face.ts";
import { NeedsSeat } from "./leagues/cohort.ts";
import { seated } from "./leagues/seat.ts";
import { type Pending, type Player, pending, players } from "./records.ts";
import type { Submission } from "./store.ts";

/** Scores that somebody has to look at before they count. */

/** How grave a review of a score is, of 100. */
const GRAVITY = 50;

/** Whether the same attempt waits for its review, or has. A read. Refuses `attempt-reused`. */
export async function isKept(tx: Transaction, { id, entering }: Submission): Promise<boolean> {
  const known = (await tx.get(pending(id).doc(idOf(entering.player, entering.attempt)))).data();
  if (known && (known.score !== entering.score || known.sub !== entering.sub || known.of !== entering.of)) {
    throw new Failure("already-exists", "This attempt had another score.", {
      reason: "attempt-reused",
      field: "attempt",
    });
  }
  return known !== undefined;
}

/**
 * Keeps a score that {@link isKept} does not know, as part of a transaction: 2 writes. Answers whether it counts already, and nothing is to be
 * looked at. Refuses what {@link enter} does: nobody has to look at what the board would not take.
 * @param face how a player is shown who is new here
 */
export function keepForReview(
  tx: Transaction,
  submission: Submission,
  { before, face }: { before: Player | undefined; face: Face },
): boolean {
  const isCounted = isEntered(submission, before, face);
  if (!isCounted) keep(tx, submission);
  return isCounted;
}

/** Whether the board has taken it before. A seat in a league is for who has a score, and not for who may come to one. */
function isEntered({ board, entering }: Submission, before: Player | undefined, face: Face): boolean {
  try {
    return enter(board, before, entering, face).repeated;
  } catch (error) {
    if (error instanceof NeedsSeat) return false;
    throw error;
  }
}

function keep(tx: Transaction, { id, entering, caller, board }: Submission): void {
  const { player, attempt, score, sub, of, metadata, at } = entering;
  const pendingId = idOf(player, attempt);
  const record: Pending = {
    player,
    attempt,
    score,
    ...(sub === undefined ? {} : { sub }),
    ...(of === undefined ? {} : { of }),
    ...(metadata === undefined ? {} : { metadata }),
    at: timestamp(at),
    ...(caller.name === undefined ? {} : { name: caller.name }),
    state: "open",
  };
  tx.create(pending(id).doc(pendingId), record);
  const reason = `${score} is far from what is scored on "${board.title}".`;
  openReview(
    tx,
    { kind: "score", subject: `${id}/${pendingId}`, user: player, facts: { board: id, score } },
    { score: GRAVITY, reasons: [{ rule: "outlier", score: GRAVITY, reason }] },
  );
}

/**
 * The same without a session: 2 reads and 2 writes, and what {@link facesOf} reads of who is new to the board; repeated 1 read. Refuses
 * what {@link enter} does.
 */
export async function keepAlone(submission: Submission): Promise<{ repeated: boolean }> {
  const { id, entering, caller } = submission;
  return await transact(async (tx) => {
    if (await isKept(tx, submission)) return { repeated: true };
    const before = (await tx.get(players(id).doc(entering.player))).data();
    const face = before ?? (await facesOf([caller])).get(caller.uid) ?? NOBODY;
    return { repeated: keepForReview(tx, submission, { before, face }) };
  });
}

function idOf(player: string, attempt: string): string {
  return deterministicId("pending", player, attempt);
}

/** The event `review.decided`, as far as it matters here. */
const Decided = z.object({ kind: z.string(), subject: z.string() });

/**
 * A review was decided: if it was a score's, that counts as of when it was played, if the board still takes it, or never. What the
 * review says now counts, not what the event says; told again it changes nothing. 4 reads and 2 writes, and
 * in a league what a seat costs.
 */
export async function scoreDecided(data: unknown): Promise<void> {
  const { kind, subject } = Decided.parse(data);
  if (kind !== "score") return;
  const [id = "", pendingId = ""] = subject.split("/");
  const board = await boardOf(id);
  const known = (await pending(id).doc(pendingId).get()).data();
  if (!known) return;
  const caller = { uid: known.player, ...(known.name === undefined ? {} : { name: known.name }) };
  const face = (await facesOf([caller])).get(known.player) ?? NOBODY;
  await seated({ id, board, entering: enteringOf(known) }, (entering) =>
    changePlayer({ id, board, player: known.player }, async (tx, before) => {
      const reference = pending(id).doc(pendingId);
      const isOpen = (await tx.get(reference)).data()?.state === "open";
      const { state } = await readReview(tx, { kind: "score", subject });
      const decision = isOpen && (state === "approved" || state === "rejected") ? state : undefined;
      const { entered, ...outcome } =
        decision === "approved" ? attempted(() => enter(board, before, entering, face)) : REJECTED;
      if (decision) tx.update(reference, outcome);
      return { after: entered?.player ?? before, result: entered ?? unchanged(board, before, entering, false) };
    }),
  );
}

interface Attempted extends Pick<Pending, "state" | "why"> {
  readonly entered?: Entered;
}

const REJECTED: Attempted = { state: "rejected" };

/** What the board makes of a score that was approved. Throws what may be otherwise later, to be told again. */
function attempted(entering: () => Entered): Attempted {
  try {
    return { state: "entered", entered: entering() };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === "unavailable") throw error;
    return { state: "refused", why: error.reason };
  }
}

function enteringOf({ player, attempt, score, sub, of, metadata, at }: Pending): Entering {
  return { player, attempt, score, sub, of, ...(metadata ? { metadata } : {}), at: at.toMillis(), now: now() };
}

/**
 * Deletes a score in review of a player who was erased; nobody has to look at it any more. What operators had said of it stays with the review,
 * which knows an id that names nobody. Bill: 2 reads, a delete, and a write if the review was open.
 */
export async function dropPending(board: string, id: string): Promise<void> {
  await transact(async (tx) => {
    const review = await readReview(tx, { kind: "score", subject: `${board}/${id}` });
    const { exists, ref } = await tx.get(pending(board).doc(id));
    if (!exists) return;
    review.close();
    tx.delete(ref);
  });
}
