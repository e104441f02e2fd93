import { type Transaction, timestamp } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import { documentsBehind, orderIn, rowIn } from "../ranked.ts";
import { prizesOf } from "../tournaments/pool.ts";
import { slotIn } from "../view.ts";
import { pages, type Result, ROWS, results, type SeasonRecord, seasonId } from "./records.ts";
import { stageAfter } from "./stages.ts";
import { advance, type Closing } from "./step.ts";

/**
 * Keeps the next hundred ranks of a season: as a page, and for each player as a result. Who was disqualified since leaves no gap. Players
 * are read in the transaction that keeps them, so that whoever is shown otherwise meanwhile is kept that way, or else found among those who
 * are kept. A read for each player and one for the season; a write for each player, the page and the season.
 */
export async function keepPage(closing: Closing): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const { kept, keep, cursor } = record;
  const limit = Math.min(ROWS, keep - kept);
  return await advance(closing, async (tx, before) => {
    const found = await documentsBehind(view, cursor, limit, tx);
    const last = orderIn(view, found.at(-1)?.data());
    const left = found.filter(({ id }) => !before.struck.includes(id));
    const ranked = left.map((document, i): Ranked => {
      const { country } = slotIn(view, document.data()) ?? {};
      return { row: rowIn(view, document, kept + 1 + i), ...(country === undefined ? {} : { country }) };
    });
    const isLast = found.length < limit || kept + ranked.length >= keep;
    return () => {
      write(tx, before, { ranked, isLast });
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

interface Ranked {
  readonly row: Row;
  /** That the player is ranked under in this season. */
  readonly country?: string;
}

function write(
  tx: Transaction,
  record: SeasonRecord,
  { ranked, isLast }: { ranked: readonly Ranked[]; isLast: boolean },
): void {
  const { board, pages: n, period, season } = record;
  const id = seasonId(period, season);
  const rows = ranked.map(({ row }) => row);
  if (rows.length > 0) tx.create(pages(board, id).doc(String(n)), { rows, isLast });
  for (const { row, ...place } of ranked) {
    tx.create(results(board, id).doc(row.player), { ...resultOf(record, row), ...place, page: n });
  }
}

/** How a player has ended a season, without what they get for it. */
export function resultOf({ board, period, season, endsAt }: SeasonRecord, row: Row): Result & { rank: number } {
  const { player, rank, score, subscore, at, metadata } = row;
  return {
    board,
    player,
    period,
    season,
    rank,
    score,
    ...(subscore === undefined ? {} : { sub: subscore }),
    at: timestamp(at),
    ...(metadata === undefined ? {} : { metadata }),
    endedAt: timestamp(endsAt.toMillis()),
    awards: [],
  };
}
