import type { Subscriber } from "../platform/outbox.ts";
import { ENTITLEMENTS_CHANGED } from "./entitlement.ts";

/** What follows from what people have. */
export const subscribers: readonly Subscriber[] = [
  {
    name: "rewards/set-claims",
    type: ENTITLEMENTS_CHANGED,
    react: async ({ data }) => {
      const { setClaims } = await import("./claims.ts");
      await setClaims(String(data.user));
    },
  },
];
