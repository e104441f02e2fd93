import type { Rule } from "../signals.ts";

const FOR_REVIEW = 80;

/** A receipt belongs to whoever came with it first, and to whom the vendor says it has gone since. */
export const receiptReused: Rule = ({ otherClaimants }, { receiptReuse }) => {
  const found = receiptReuse === "block" ? 100 : FOR_REVIEW;
  return {
    rule: "receipt-reused",
    score: otherClaimants > 0 ? found : 0,
    reason: "Another user came with this receipt before.",
    facts: { otherClaimants },
  };
};
