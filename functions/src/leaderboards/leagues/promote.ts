import type { Transaction } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import { following } from "../ranked.ts";
import { players } from "../records.ts";
import { resultOf } from "../seasons/keep.ts";
import { results, type SeasonRecord, seasonId } from "../seasons/records.ts";
import { stageAfter } from "../seasons/stages.ts";
import { advance, type Closing } from "../seasons/step.ts";
import type { League } from "../settings.ts";
import { cohortId } from "./cohort.ts";
import { tiers } from "./records.ts";

/** Players of one step, at most: each may be two writes. */
const AT_ONCE = 100;

interface Cohort {
  readonly tier: number;
  readonly n: number;
  readonly rows: readonly Row[];
}

/**
 * Moves the players of the next cohorts of a season to the tiers that they have come to. A read for each player, and one for the tier; a
 * write for each player's result, and one for each who moves. Players are read in the transaction that moves them, so that who is erased
 * meanwhile has no result after it.
 */
export async function promoteSome(closing: Closing): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const { league, cursor } = record;
  if (!league) return await advance(closing, async (_tx, before) => () => stageAfter(before));
  const [tier, from] = placeOf(cursor);
  const season = seasonId(record.period, record.season);
  const { seated = 0 } = (await tiers(view.id, season).doc(String(tier)).get()).data() ?? {};
  const last = Math.min(Math.ceil(seated / league.size), from - 1 + Math.max(1, Math.floor(AT_ONCE / league.size)));
  const isLastOfTier = last * league.size >= seated;
  const next = isLastOfTier ? `${tier + 1} 1` : `${tier} ${last + 1}`;
  return await advance(closing, async (tx, before) => {
    const cohorts: Cohort[] = [];
    for (let n = from; n <= last; n++) {
      const scope = { kind: "group", id: cohortId(tier, n) } as const;
      const { rows } = await following({ ...view, scope }, undefined, { rank: 1, limit: league.size, tx });
      cohorts.push({ tier, n, rows });
    }
    return () => {
      for (const cohort of cohorts) move(tx, before, { league, cohort });
      return isLastOfTier && tier >= league.tiers ? stageAfter(before) : { cursor: next };
    };
  });
}

/** The tier, and the cohort in it, that a cursor says is next. */
function placeOf(cursor = ""): [tier: number, cohort: number] {
  const [tier = 1, cohort = 1] = cursor === "" ? [] : cursor.split(" ").map(Number);
  return [tier, cohort];
}

function move(tx: Transaction, season: SeasonRecord, { league, cohort }: { league: League; cohort: Cohort }): void {
  const { tier, n, rows } = cohort;
  const ranked = rows.filter(({ player }) => !season.struck.includes(player));
  for (const [i, row] of ranked.entries()) {
    const after = tierAfter(league, tier, { rank: i + 1, of: ranked.length });
    const { rank: _, ...result } = resultOf(season, row);
    const reference = results(season.board, seasonId(season.period, season.season)).doc(row.player);
    const own = { tier, cohort: cohortId(tier, n), rank: i + 1, tierAfter: after };
    // What the result has besides, as prizes, stays.
    const mergeFields = ["board", "player", "period", "season", "score", "at", "endedAt", "league"];
    tx.set(reference, { ...result, league: own }, { mergeFields });
    if (after !== tier) tx.update(players(season.board).doc(row.player), { tier: after });
  }
}

/** The tier that a rank in a cohort leads to. Who would go up as well as down goes up. */
function tierAfter(
  { tiers: top, promote, demote }: League,
  tier: number,
  { rank, of }: { rank: number; of: number },
): number {
  if (rank <= promote) return Math.min(top, tier + 1);
  return rank > of - demote ? Math.max(1, tier - 1) : tier;
}
