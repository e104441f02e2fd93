import type { Prize } from "../settings.ts";
import type { SeasonRecord, Stage } from "./records.ts";

/** What follows what when a season is closed, and which ranks have prizes. */

/** The stage that follows, without a place in it: only those are gone through that there is something to do in. */
export function stageAfter(record: Pick<SeasonRecord, "prizes" | "stage" | "league">): Partial<SeasonRecord> {
  const later = STAGES.slice(STAGES.indexOf(record.stage) + 1);
  const next = later.find((stage) => hasWork(stage, record)) ?? "finish";
  return { stage: next, cursor: "", among: { id: "", passed: 0 } };
}

function hasWork(stage: Stage, { prizes, league }: Pick<SeasonRecord, "prizes" | "league">): boolean {
  return stage === "league" ? league !== undefined : prizes.some(({ scope }) => scope === SCOPES[stage]);
}

const STAGES: readonly Stage[] = ["pages", "prizes", "country", "group", "league", "finish"];
const SCOPES: Readonly<Partial<Record<Stage, Prize["scope"]>>> = {
  prizes: "global",
  country: "country",
  group: "group",
};

/** The prize of a rank: the first of the board's that is for it. */
export function prizeFor(prizes: readonly Prize[], scope: Prize["scope"], rank: number): Prize | undefined {
  return prizes.find((prize) => prize.scope === scope && prize.from <= rank && rank <= prize.to);
}

/** The last rank of a scope that there is a prize for; 0 if there is none. */
export function lastRank(prizes: readonly Prize[], scope: Prize["scope"]): number {
  return Math.max(0, ...prizes.filter((prize) => prize.scope === scope).map(({ to }) => to));
}
