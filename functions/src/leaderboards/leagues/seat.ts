import { Batches } from "../../platform/batches.ts";
import { busy } from "../../platform/failure.ts";
import { transact } from "../../platform/firestore.ts";
import type { Entered, Entering } from "../enter.ts";
import { seasonId } from "../seasons/records.ts";
import type { Board } from "../settings.ts";
import { cohortId, NeedsSeat } from "./cohort.ts";
import { tiers } from "./records.ts";

/**
 * Seats that are asked for in an instance at about the same time are taken together, one transaction for each tier, so that of a tier's count
 * there are no more writers than instances.
 */
const BATCHES = { max: 200, parallel: 1, worthAnother: 200, patienceMillis: 10, waiting: 5_000 };

interface Wanted {
  readonly board: string;
  /** As `weekly-2026-W47`. */
  readonly season: string;
  readonly tier: number;
}

interface Submitting {
  readonly id: string;
  readonly board: Board;
  readonly entering: Entering;
}

const seats = new Batches<Wanted, number>(BATCHES, takeAll);

/**
 * Enters a score, if need be after the player has taken a seat in a cohort of their tier: 2 reads and a write more. A seat of which nothing
 * comes, because the instance is killed, stays empty. Refuses `busy`.
 */
export async function seated(
  { id, board, entering }: Submitting,
  enterIt: (entering: Entering) => Promise<Entered>,
): Promise<Entered> {
  try {
    return await enterIt(entering);
  } catch (error) {
    if (!(error instanceof NeedsSeat && board.league)) throw error;
    const { season, tier } = error;
    const wanted = { board: id, season: seasonId(board.league.period, season.key), tier };
    const seat = seats.add(`${id} ${wanted.season} ${entering.player}`, wanted);
    if (!seat) throw busy();
    const n = Math.floor((await seat) / board.league.size) + 1;
    return await enterIt({ ...entering, cohort: { season: season.key, id: cohortId(tier, n) } });
  }
}

/** Answers with the number of each one's seat in its tier, counted from 0. */
async function takeAll(batch: readonly Wanted[]): Promise<PromiseSettledResult<number>[]> {
  const byTier = Map.groupBy(batch.entries(), ([, wanted]) => documentOf(wanted).path);
  const results: PromiseSettledResult<number>[] = [];
  const takes = [...byTier.values()].map(async (group) => {
    const [, wanted] = group[0] ?? [];
    if (!wanted) return;
    const [first] = await Promise.allSettled([take(wanted, group.length)]);
    for (const [i, [place]] of group.entries()) {
      results[place] = first.status === "fulfilled" ? { ...first, value: first.value + i } : first;
    }
  });
  await Promise.all(takes);
  return results;
}

/** Takes seats that follow each other; answers with the first. A read and a write. */
async function take(wanted: Wanted, count: number): Promise<number> {
  const reference = documentOf(wanted);
  return await transact(async (tx) => {
    const before = (await tx.get(reference)).data()?.seated ?? 0;
    tx.set(reference, { seated: before + count });
    return before;
  });
}

function documentOf({ board, season, tier }: Wanted) {
  return tiers(board, season).doc(String(tier));
}
