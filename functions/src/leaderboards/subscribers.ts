import type { Subscriber } from "../platform/outbox.ts";
import { scoreDecided } from "./pending.ts";

/** What leaderboards do when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  { name: "leaderboards/settle-reviewed-scores", type: "review.decided", react: ({ data }) => scoreDecided(data) },
];
