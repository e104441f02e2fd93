import { timestamp } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import { following } from "../ranked.ts";
import { pages, type Result, ROWS, results, type SeasonRecord, seasonId } from "./records.ts";
import { advance, type Closing } from "./step.ts";

/**
 * Keeps the next hundred ranks of a season: as a page, and for each player as a result. Who was disqualified since leaves no gap. A read for
 * each player and one for the season; a write for each player, the page and the season.
 */
export async function keepPage(closing: Closing): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const { kept, keep, cursor } = record;
  const limit = Math.min(ROWS, keep - kept);
  const { rows, last } = await following(view, cursor, { rank: kept + 1, limit });
  return await advance(closing, async (tx, { struck, pages: n }) => {
    const left = rows
      .filter(({ player }) => !struck.includes(player))
      .map((row, i) => ({ ...row, rank: kept + 1 + i }));
    const isLast = rows.length < limit || kept + left.length >= keep;
    return () => {
      const season = seasonId(record.period, record.season);
      if (left.length > 0) tx.create(pages(view.id, season).doc(String(n)), { rows: left });
      for (const row of left) tx.create(results(view.id, season).doc(row.player), resultOf(record, row));
      return {
        kept: kept + left.length,
        pages: left.length > 0 ? n + 1 : n,
        ...(last === undefined ? {} : { cursor: last }),
        ...(isLast ? { stage: "prizes" } : {}),
      };
    };
  });
}

/** How a player has ended a season, without what they get for it. */
export function resultOf({ board, period, season, endsAt }: SeasonRecord, row: Row): Result & { rank: number } {
  const { player, rank, score, subscore } = row;
  return {
    board,
    player,
    period,
    season,
    rank,
    score,
    ...(subscore === undefined ? {} : { sub: subscore }),
    endedAt: timestamp(endsAt.toMillis()),
    awards: [],
  };
}
