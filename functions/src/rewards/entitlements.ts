import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import type { Entitlements } from "./contract.ts";
import { MAX_ENTITLEMENTS } from "./entitlement.ts";
import { type Entitlement, entitlements } from "./records.ts";

/** What the caller may use. One read for each entitlement they ever had. */
export async function listEntitlements(caller: Caller): Promise<Entitlements> {
  const found = await entitlements(caller.uid).limit(MAX_ENTITLEMENTS).get();
  return {
    entitlements: found.docs.map((document) => {
      const entitlement = document.data();
      return {
        entitlement: document.id,
        active: isActive(entitlement),
        expiresAt: entitlement.expiresAt?.toMillis() ?? null,
        willRenew: entitlement.willRenew,
        product: entitlement.product,
      };
    }),
  };
}

/** Nothing but its end says whether it holds. */
export function isActive({ expiresAt }: Entitlement): boolean {
  return expiresAt === null || expiresAt.toMillis() > now();
}
