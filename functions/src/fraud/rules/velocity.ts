import type { Rule } from "../signals.ts";
import type { Dimension } from "../subject.ts";
import { ramp } from "./ramp.ts";

/** Too many of the same kind by one user, on one device or with one card: the window counts that is exceeded most. */
const velocity =
  (dimension: Dimension): Rule =>
  ({ counts }, { limits }) => {
    const { hour, day, week } = counts[dimension] ?? { hour: 0, day: 0, week: 0 };
    const limit = limits[dimension];
    return {
      rule: `velocity-${dimension}`,
      score: Math.max(ramp(hour, limit.hour), ramp(day, limit.day), ramp(week, limit.week)),
      reason: `There were many by one ${dimension} in a short time.`,
      facts: { hour, day, week },
    };
  };

export const velocityOfUser = velocity("user");
export const velocityOfDevice = velocity("device");
export const velocityOfCard = velocity("card");
