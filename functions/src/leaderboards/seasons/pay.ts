import type { Row } from "../contract.ts";
import type { Prize } from "../records.ts";
import { awardAll, type Winner } from "./award.ts";
import { pages, type SeasonRecord, type Stage, seasonId } from "./records.ts";
import { advance, type Closing } from "./step.ts";

/** Gives the prizes of the next page of those that were kept. A read for the page, and what each prize costs. */
export async function payPage(closing: Closing): Promise<SeasonRecord | undefined> {
  const { view, record } = closing;
  const last = lastRank(record.prizes, "global");
  if (record.looked >= record.pages || last === 0) return await toNextStage(closing);
  const season = seasonId(record.period, record.season);
  const page = (await pages(view.id, season).doc(String(record.looked)).get()).data();
  const rows = page?.rows ?? [];
  const counts = await awardAll(record, winnersAmong(record.prizes, rows));
  const isLast = rows.some(({ rank }) => rank >= last);
  return await advance(closing, async (_tx, { looked, given, failed, pages: count }) => () => ({
    looked: isLast ? count : looked + 1,
    given: given + counts.given,
    failed: failed + counts.failed,
  }));
}

async function toNextStage(closing: Closing): Promise<SeasonRecord | undefined> {
  return await advance(closing, async (_tx, record) => () => stageAfter(record));
}

/** The stage that follows, without a place in it: of countries and groups only those are walked through that there are prizes for. */
export function stageAfter(record: SeasonRecord): Partial<SeasonRecord> {
  const { prizes, stage } = record;
  const order: readonly Stage[] = ["prizes", "country", "group", "finish"];
  const later = order.slice(order.indexOf(stage) + 1);
  const next = later.find((one) => one === "finish" || prizes.some(({ scope }) => scope === one)) ?? "finish";
  return { stage: next, cursor: "", among: { id: "", passed: 0 } };
}

function winnersAmong(prizes: readonly Prize[], rows: readonly Row[]): Winner[] {
  return rows.flatMap((row) => {
    const prize = prizeFor(prizes, "global", row.rank);
    return prize ? [{ row, scope: "global", rank: row.rank, reward: prize.reward }] : [];
  });
}

/** The prize of a rank: the first of the board's that is for it. */
export function prizeFor(prizes: readonly Prize[], scope: Prize["scope"], rank: number): Prize | undefined {
  return prizes.find((prize) => prize.scope === scope && prize.from <= rank && rank <= prize.to);
}

/** The last rank of a scope that there is a prize for; 0 if there is none. */
export function lastRank(prizes: readonly Prize[], scope: Prize["scope"]): number {
  return Math.max(0, ...prizes.filter((prize) => prize.scope === scope).map(({ to }) => to));
}
