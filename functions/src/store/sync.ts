import { LRUCache } from "lru-cache";
import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { retryWaitingFor } from "../platform/webhooks.ts";
import type { Synced, SyncRequest } from "./contract.ts";
import { follow } from "./revenuecat/follow.ts";
import { fetchCustomer } from "./revenuecat/subscriber.ts";
import { waitingForCustomer, waitingForPurchase } from "./waiting.ts";

/** How often one user is synced at most: each asks RevenueCat, which counts what it is asked. */
const MAX_SYNCS = 10;
const PER_MILLIS = 60_000;
const MAX_USERS = 10_000;

/** When users were synced lately, oldest first; by instance, which is enough to keep one app from asking without pause. */
const lately = new LRUCache<string, number[]>({ max: MAX_USERS });

/**
 * Grants at once what the caller has just bought, without waiting for the webhook: asks RevenueCat what they have and grants what is
 * not granted yet, under the webhook's key. Whichever of the two is second finds it done. What is granted already is brought to how it
 * stands at RevenueCat as of when that was asked: refunded, renewing or not, prolonged.
 * Refuses `rate-limited` and `revenuecat-unavailable`.
 */
export async function sync(caller: Caller, { device }: z.output<typeof SyncRequest> = {}): Promise<Synced> {
  limit(caller.uid);
  const fetched = await fetchCustomer(caller.uid);
  const followed = await follow(fetched, false, device);
  // A webhook that came while the buyer was anonymous has nothing to wait for any more.
  const granted = followed.filter(({ result, withheld }) => result === "granted" || withheld);
  const waits = granted.map(({ purchase }) => waitingForPurchase(purchase));
  if (granted.length > 0 && fetched.originalId !== undefined) waits.push(waitingForCustomer(fetched.originalId));
  await Promise.all(waits.map((waiting) => retryWaitingFor(waiting, "sync")));
  return {
    purchases: followed.flatMap(({ fact, purchase, result, withheld, isRefunded }) =>
      result === undefined
        ? []
        : [
            {
              product: fact.product,
              purchase,
              result,
              ...(withheld ? { withheld } : {}),
              ...(isRefunded ? { refunded: true } : {}),
            },
          ],
    ),
  };
}

function limit(uid: string): void {
  const recent = (lately.get(uid) ?? []).filter((at) => at > now() - PER_MILLIS);
  const [oldest] = recent;
  if (oldest !== undefined && recent.length >= MAX_SYNCS) {
    const retryAfter = Math.max(1, Math.ceil((oldest + PER_MILLIS - now()) / 1_000));
    throw new Failure("resource-exhausted", "This was asked too often; wait a little.", {
      reason: "rate-limited",
      limit: MAX_SYNCS,
      retryAfter,
    });
  }
  lately.set(uid, [...recent, now()]);
}
