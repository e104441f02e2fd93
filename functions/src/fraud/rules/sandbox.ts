import type { Rule } from "../signals.ts";

const EACH = 0.2;
const MAX = 80;

/** Receipts of a sandbox cost nothing; whoever comes with them where they are not taken is trying something. */
export const sandbox: Rule = ({ sandboxed }) => ({
  rule: "sandbox",
  score: Math.min(MAX, Math.round(100 * (1 - (1 - EACH) ** sandboxed))),
  reason: "The user came with receipts of a sandbox in the last week.",
  facts: { sandboxed },
});
