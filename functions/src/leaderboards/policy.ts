import { Failure } from "../platform/failure.ts";
import { compareScored } from "./place.ts";
import type { Board, Policy } from "./settings.ts";

/** What was submitted. Of a ratio, `score` is what is divided and `of` what it is divided by. */
export interface Given {
  readonly score: number;
  readonly sub?: number | undefined;
  readonly of?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a player has reached by all that was submitted in some time. */
export interface Reached {
  readonly score: number;
  readonly sub?: number | undefined;
  readonly at: number;
  readonly count: number;
  readonly sum?: number | undefined;
  readonly of?: number | undefined;
}

/** What a ratio is multiplied by before it is rounded. */
const PARTS = 1_000_000;

/** One submission for itself. */
export function reachedBy(policy: Policy, { score, sub, of, at }: Given): Reached {
  const one = { ...(sub === undefined ? {} : { sub }), at, count: 1 };
  if (policy === "ratio") return { ...one, score: ratio(score, of ?? 0), sum: score, of: of ?? 0 };
  return { ...one, score: policy === "decrement" ? 0 - score : score };
}

/**
 * What two times make together, the earlier of them first. Of equal scores the one counts that was there before. Refuses
 * `score-out-of-bounds` where a sum is more than a number can say.
 */
export function together(
  board: Pick<Board, "policy" | "order" | "subscore">,
  before: Reached,
  after: Reached,
): Reached {
  const count = before.count + after.count;
  switch (board.policy) {
    case "best":
      return { ...(isBetter(board, after, before) ? after : before), count };
    case "last":
      return { ...(after.at >= before.at ? after : before), count };
    case "ratio": {
      const [sum, of] = [added(before.sum ?? 0, after.sum ?? 0), added(before.of ?? 0, after.of ?? 0)];
      return { ...later(before, after), score: ratio(sum, of), sum, of, count };
    }
    default:
      return { ...later(before, after), score: added(before.score, after.score), count };
  }
}

/** Whether a player who has reached this is ranked. */
export function isRanked(
  { policy, minimumSample }: Pick<Board, "policy" | "minimumSample">,
  reached: Reached,
): boolean {
  return policy !== "ratio" || (reached.count >= minimumSample && (reached.of ?? 0) > 0);
}

function isBetter(board: Pick<Board, "order" | "subscore">, one: Reached, other: Reached): boolean {
  const at = 0;
  return compareScored(board, { ...one, at }, { ...other, at }) < 0;
}

/** What was submitted last has brought a sum where it is. */
function later(before: Reached, after: Reached): Reached {
  return after.at >= before.at ? after : before;
}

function ratio(sum: number, of: number): number {
  if (of === 0) return 0;
  const parts = Math.round((sum / of) * PARTS);
  return parts === 0 ? 0 : checked(parts);
}

function added(one: number, other: number): number {
  return checked(one + other);
}

function checked(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new Failure("out-of-range", "A score cannot be that large.", { reason: "score-out-of-bounds", field: "score" });
}
