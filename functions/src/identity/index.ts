/** Who people are, and who they are to each other. */
export { PROFILE_CHANGED } from "./change.ts";
export { USER_ERASED } from "./erase.ts";
export { currentProfileOf, type Profile, profileOf, profilesOf } from "./look-up.ts";
export { friendsOf } from "./related.ts";
export { subscribers } from "./subscribers.ts";
