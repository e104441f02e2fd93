/** Who people are, and who they are to each other. */
export { PROFILE_CHANGED, USER_ERASED } from "./events.ts";
export { groupNamesOf } from "./group-names.ts";
export { currentProfileOf, type Profile, profileOf, profilesOf } from "./look-up.ts";
export { friendsOf } from "./related.ts";
export { subscribers } from "./subscribers.ts";
