import type { Subscriber } from "../platform/outbox.ts";
import { PROFILE_CHANGED, USER_ERASED } from "./events.ts";

/** What follows from what people have changed, for sure, even if whoever changed it was cut off. */
export const subscribers: readonly Subscriber[] = [
  {
    name: "identity/forget-profile",
    type: PROFILE_CHANGED,
    react: async ({ data }) => {
      const { forgetProfile } = await import("./look-up.ts");
      await forgetProfile(String(data.user));
    },
  },
  {
    name: "identity/forget-relations",
    type: USER_ERASED,
    react: async ({ data }) => {
      const [{ forgetProfile }, { forgetRelations }] = await Promise.all([
        import("./look-up.ts"),
        import("./erase.ts"),
      ]);
      await forgetProfile(String(data.user));
      await forgetRelations(String(data.user));
    },
  },
];
