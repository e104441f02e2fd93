import type { RecordedFinding, Verdict } from "./records.ts";
import { country } from "./rules/country.ts";
import { price } from "./rules/price.ts";
import { receiptReused } from "./rules/receipt-reused.ts";
import { refunds } from "./rules/refunds.ts";
import { sandbox } from "./rules/sandbox.ts";
import { shared } from "./rules/shared.ts";
import { unusualAmount } from "./rules/unusual-amount.ts";
import { velocityOfCard, velocityOfDevice, velocityOfUser } from "./rules/velocity.ts";
import type { RuleName, Settings } from "./settings.ts";
import type { Rule, Signals } from "./signals.ts";

const RULES: Readonly<Record<RuleName, Rule>> = {
  "receipt-reused": receiptReused,
  sandbox,
  price,
  country,
  "velocity-user": velocityOfUser,
  "velocity-device": velocityOfDevice,
  "velocity-card": velocityOfCard,
  shared,
  "unusual-amount": unusualAmount,
  refunds,
};

export interface Judgement {
  readonly score: number;
  readonly verdict: Verdict;
  /** Of the rules that have something to say, the gravest first. */
  readonly findings: readonly RecordedFinding[];
}

/**
 * Asks all rules that are not off. Their scores count as independent probabilities: what is left of trust is what each of them leaves of
 * it, 1 − Π(1 − weight × score).
 */
export function judge(signals: Signals, settings: Settings): Judgement {
  const findings: RecordedFinding[] = [];
  let trust = 1;
  for (const [name, rule] of Object.entries(RULES) as [RuleName, Rule][]) {
    const { mode, weight } = settings.rules[name] ?? { mode: "on", weight: 1 };
    if (mode === "off") continue;
    const found = rule(signals, settings);
    if (found.score === 0) continue;
    const isCounted = mode === "on";
    if (isCounted) trust *= 1 - Math.min(1, (weight * found.score) / 100);
    findings.push({ ...found, counted: isCounted });
  }
  const score = Math.round(100 * (1 - trust));
  return { score, verdict: verdictOf(score, settings), findings: findings.sort((a, b) => b.score - a.score) };
}

function verdictOf(score: number, { thresholds: { review, block } }: Settings): Verdict {
  if (score >= block) return "block";
  return score >= review ? "review" : "allow";
}
