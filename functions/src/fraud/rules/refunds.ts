import type { Rule } from "../signals.ts";

/** A few of these anybody has. */
const FREE_REFUNDS = 2;
const EACH_REFUND = 0.15;
const EACH_CHARGEBACK = 0.4;

/** Earlier purchases whose money went back: by the bank it weighs more than by the seller's will. */
export const refunds: Rule = ({ refunds: returned, chargebacks }) => {
  const trust = (1 - EACH_REFUND) ** Math.max(0, returned - FREE_REFUNDS) * (1 - EACH_CHARGEBACK) ** chargebacks;
  return {
    rule: "refunds",
    score: Math.round(100 * (1 - trust)),
    reason: "Earlier purchases were refunded or charged back.",
    facts: { refunds: returned, chargebacks },
  };
};
