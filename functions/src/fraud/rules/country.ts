import type { Rule } from "../signals.ts";

const NOT_SOLD_THERE = 45;
const FROM_ELSEWHERE = 30;
const BOTH = 60;

/** Bought where the product is not sold, or asked for from another country than that of the account or card. Travellers do that too. */
export const country: Rule = ({ country: of, ipCountry, countries }) => {
  const isNotSold = of !== undefined && countries.length > 0 && !countries.includes(of);
  const isElsewhere = of !== undefined && ipCountry !== undefined && of !== ipCountry;
  const found = isNotSold ? NOT_SOLD_THERE : isElsewhere ? FROM_ELSEWHERE : 0;
  return {
    rule: "country",
    score: isNotSold && isElsewhere ? BOTH : found,
    reason: isNotSold
      ? "The product is not sold in the buyer's country."
      : "The request came from another country than the account or card is of.",
    facts: { ...(of === undefined ? {} : { country: of }), ...(ipCountry === undefined ? {} : { ipCountry }) },
  };
};
