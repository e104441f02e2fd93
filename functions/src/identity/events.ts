/** What others show of a user has changed: `{ user }`. */
export const PROFILE_CHANGED = "profile.changed";

/** A user is gone for good: `{ user }`. Whoever keeps anything of theirs is to let go of it. */
export const USER_ERASED = "user.erased";
