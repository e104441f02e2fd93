import type { Prize } from "../records.ts";
import type { SeasonRecord, Stage } from "./records.ts";

/** What follows what when a season is closed, and which ranks have prizes. */

/** The stage that follows, without a place in it: only those are gone through that there are prizes for. */
export function stageAfter({ prizes, stage }: Pick<SeasonRecord, "prizes" | "stage">): Partial<SeasonRecord> {
  const next = STAGES.slice(STAGES.indexOf(stage) + 1).find((one) => prizes.some(({ scope }) => scope === SCOPES[one]));
  return { stage: next ?? "finish", cursor: "", among: { id: "", passed: 0 } };
}

const STAGES: readonly Stage[] = ["pages", "prizes", "country", "group", "finish"];
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
