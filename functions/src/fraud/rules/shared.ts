import type { Rule } from "../signals.ts";
import { ramp } from "./ramp.ts";

/** A device or a card that more users have than a family. */
export const shared: Rule = ({ users: { device = 0, card = 0 } }, { sharedBy }) => ({
  rule: "shared",
  score: Math.max(ramp(device, sharedBy.device), ramp(card, sharedBy.card)),
  reason: "Many users have the same device or card.",
  facts: { device, card },
});
