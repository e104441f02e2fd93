import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { timestamp, transact } from "../platform/firestore.ts";
import { boardOf } from "./board.ts";
import type { SubmitRequest, Submitted } from "./contract.ts";
import { PERIODS, type Period, seasonAt, slotOf } from "./periods.ts";
import { orderOf } from "./rank.ts";
import { type Player, players, REMEMBERED_ATTEMPTS, type Slot, type SlotName } from "./records.ts";

const MAX_NAME = 50;
const MAX_PICTURE = 2_048;

/** A score that was submitted, with the moment it counts for. */
interface Attempt {
  readonly id: string;
  readonly score: number;
  readonly at: number;
  readonly timeZone: string;
}

/**
 * Enters a score. One read and one write whatever the number of periods; no write when it is no better, or was submitted before.
 * Refuses `unknown-board`, `score-out-of-bounds`, `attempt-reused`.
 */
export async function submit(caller: Caller, request: z.output<typeof SubmitRequest>): Promise<Submitted> {
  const { timeZone, minScore, maxScore } = await boardOf(request.board);
  if (request.score < minScore || request.score > maxScore) {
    throw new Failure("invalid-argument", `Scores of this board lie between ${minScore} and ${maxScore}.`, {
      reason: "score-out-of-bounds",
      field: "score",
    });
  }
  const attempt: Attempt = { id: request.attempt, score: request.score, at: now(), timeZone };
  return await transact(async (tx) => {
    const reference = players(request.board).doc(caller.uid);
    const player = (await tx.get(reference)).data();
    if (player && isRepeated(player, attempt)) return { ...report(player, player, attempt), repeated: true };
    const entered = enter(player, caller, attempt);
    const submitted = report(entered, player, attempt);
    if (PERIODS.some((period) => submitted[period].improved)) tx.set(reference, entered);
    return { ...submitted, repeated: false };
  });
}

function isRepeated({ attempts }: Player, { id, score }: Attempt): boolean {
  const before = attempts.find((attempt) => attempt.id === id);
  if (before && before.score !== score) {
    throw new Failure("already-exists", "This attempt had another score.", {
      reason: "attempt-reused",
      field: "attempt",
    });
  }
  return before !== undefined;
}

/** A player after an attempt: the slots of the seasons that are on hold the best of each. */
function enter(
  player: Player | undefined,
  { uid, name, picture }: Caller,
  { id, score, at, timeZone }: Attempt,
): Player {
  const slots: Partial<Record<SlotName, Slot>> = {};
  for (const period of PERIODS) {
    const season = seasonAt(period, at, timeZone);
    const slot = slotOf(period, season);
    const current = player?.[slot];
    if (current?.season === season.key && current.score >= score) continue;
    slots[slot] = {
      season: season.key,
      score,
      at: timestamp(at),
      order: orderOf(season.key, { score, at, player: uid }),
    };
  }
  const attempts = [...(player?.attempts ?? []), { id, score }].slice(-REMEMBERED_ATTEMPTS);
  const shown = {
    name: shorten(name ?? `Player ${uid.slice(0, 6)}`),
    ...(picture && isPicture(picture) ? { picture } : {}),
  };
  return { ...player, ...slots, ...shown, attempts };
}

/** The player's best of each season that is on, and which of them are new. */
function report(player: Player, before: Player | undefined, { at, timeZone }: Attempt): Omit<Submitted, "repeated"> {
  const best = (period: Period) => {
    const season = seasonAt(period, at, timeZone);
    const slot = slotOf(period, season);
    const current = player[slot];
    const score = current?.season === season.key ? current.score : null;
    return { season: season.key, score, improved: current !== before?.[slot] };
  };
  return { daily: best("daily"), weekly: best("weekly"), monthly: best("monthly"), allTime: best("allTime") };
}

/** Cut between characters, not inside of one. */
function shorten(name: string): string {
  return [...name].slice(0, MAX_NAME).join("");
}

function isPicture(url: string): boolean {
  return url.length <= MAX_PICTURE && url.startsWith("https://") && URL.canParse(url);
}
