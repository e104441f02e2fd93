import type { Rule } from "../signals.ts";

/** With fewer amounts nobody knows what is usual. */
const MIN_AMOUNTS = 5;
/** From so many deviations above the middle on it is unusual. */
const USUAL_DEVIATIONS = 6;
/** Makes the median absolute deviation comparable to a standard deviation. */
const NORMAL = 1.4826;
/** Who always spends the same may spend a little more without a doubt. */
const LEAST_DEVIATION = 0.25;
const MAX = 70;

/**
 * Much more than the user's own median, measured by the median absolute deviation, which single large amounts do not move. Source:
 * Leys et al., Detecting outliers, Journal of Experimental Social Psychology 49 (2013).
 */
export const unusualAmount: Rule = ({ amount = 0, usual }) => {
  const middle = median(usual);
  const spread = median(usual.map((one) => Math.abs(one - middle)));
  const deviation = Math.max(NORMAL * spread, LEAST_DEVIATION * middle, 1);
  const deviations = usual.length < MIN_AMOUNTS ? 0 : Math.max(0, (amount - middle) / deviation);
  const found = deviations <= USUAL_DEVIATIONS ? 0 : Math.round(100 * (1 - USUAL_DEVIATIONS / deviations));
  return {
    rule: "unusual-amount",
    score: Math.min(MAX, found),
    reason: "The amount is far above what the user usually spends.",
    facts: { amount, median: Math.round(middle), deviations: Math.round(deviations) },
  };
};

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low = 0, high = low] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}
