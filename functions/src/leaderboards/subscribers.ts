import { PROFILE_CHANGED, USER_ERASED } from "../identity/index.ts";
import type { Subscriber } from "../platform/outbox.ts";
import { scoreDecided } from "./pending.ts";
import { profileChanged, userErased } from "./walk.ts";

/** What leaderboards do when something has happened elsewhere. */
export const subscribers: readonly Subscriber[] = [
  { name: "leaderboards/settle-reviewed-scores", type: "review.decided", react: ({ data }) => scoreDecided(data) },
  { name: "leaderboards/show-profiles", type: PROFILE_CHANGED, react: ({ id, data }) => profileChanged(id, data) },
  { name: "leaderboards/forget-erased", type: USER_ERASED, react: ({ id, data }) => userErased(id, data) },
];
