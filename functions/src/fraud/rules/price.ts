import type { Rule } from "../signals.ts";

/** Offers, taxes and stores' price tiers make a price differ by so much. */
const TOLERANCE = 0.35;

/** The less was paid of what the catalog asks in the same currency, the higher; more than that is nobody's loss. */
export const price: Rule = ({ amount, priceExpected }) => {
  const asked = priceExpected ?? 0;
  const paid = Math.max(0, amount ?? asked);
  const missing = asked === 0 ? 0 : Math.max(0, 1 - paid / asked);
  return {
    rule: "price",
    score: missing <= TOLERANCE ? 0 : Math.round(90 * missing),
    reason: "Less was paid than the catalog asks.",
    facts: { paid, asked },
  };
};
