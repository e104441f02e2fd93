import { type Transaction, timestamp } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import { following } from "../ranked.ts";
import { prizesOf } from "../tournaments/pool.ts";
import { type KeptPage, pages, type Result, ROWS, results, type SeasonRecord, seasonId } from "./records.ts";
import { stageAfter } from "./stages.ts";
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
  return await advance(closing, async (tx, before) => {
    const left = rows.filter(({ player }) => !before.struck.includes(player));
    const ranked = left.map((row, i) => ({ ...row, rank: kept + 1 + i }));
    const isLast = rows.length < limit || kept + ranked.length >= keep;
    return () => {
      write(tx, before, { rows: ranked, isLast });
      return {
        kept: kept + ranked.length,
        pages: before.pages + (ranked.length > 0 ? 1 : 0),
        ...(isLast ? afterPages(before, kept + ranked.length) : { cursor: last ?? "" }),
      };
    };
  });
}

/** The prizes of a pool go by how many there are; where there is nobody, it goes back. */
function afterPages(record: SeasonRecord, kept: number): Partial<SeasonRecord> {
  const { pool, prizes } = record;
  if (!pool) return stageAfter(record);
  if (kept === 0) return { stage: "refunds" };
  const all = [...prizesOf(pool, kept), ...prizes];
  return { prizes: all, ...stageAfter({ ...record, prizes: all }) };
}

function write(tx: Transaction, record: SeasonRecord, page: KeptPage): void {
  const { rows } = page;
  const { board, pages: n, period, season } = record;
  const id = seasonId(period, season);
  if (rows.length > 0) tx.create(pages(board, id).doc(String(n)), page);
  for (const row of rows) tx.create(results(board, id).doc(row.player), { ...resultOf(record, row), page: n });
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
