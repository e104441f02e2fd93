import type { Row } from "../contract.ts";
import type { Prize } from "../settings.ts";
import { awardAll, type Winner } from "./award.ts";
import { pages, type SeasonRecord, seasonId } from "./records.ts";
import { lastRank, prizeFor, stageAfter } from "./stages.ts";
import { advance, type Closing } from "./step.ts";

/** Gives the prizes of the next page of those that were kept. A read for the page, and what each prize costs. */
export async function payPage(closing: Closing): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const season = seasonId(record.period, record.season);
  const page = (await pages(view.id, season).doc(String(record.looked)).get()).data();
  const rows = page?.rows ?? [];
  const counts = await awardAll(record, winnersAmong(record.prizes, rows));
  const last = lastRank(record.prizes, "global");
  return await advance(closing, async (_tx, before) => () => {
    const after = {
      looked: before.looked + 1,
      given: before.given + counts.given,
      failed: before.failed + counts.failed,
    };
    const isLast = after.looked >= before.pages || rows.some(({ rank }) => rank >= last);
    return { ...after, ...(isLast ? stageAfter(before) : {}) };
  });
}

function winnersAmong(prizes: readonly Prize[], rows: readonly Row[]): Winner[] {
  return rows.flatMap((row) => {
    // Who was erased since they were kept.
    if (row.player === "") return [];
    const prize = prizeFor(prizes, "global", row.rank);
    return prize ? [{ row, scope: "global", rank: row.rank, reward: prize.reward }] : [];
  });
}
