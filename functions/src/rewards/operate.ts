import type * as z from "zod";
import { type Deed, plain, writeDown } from "../platform/audit.ts";
import type { Caller } from "../platform/endpoint.ts";
import { log } from "../platform/log.ts";
import type { Acted, GrantRequest, Taken, TakeRequest } from "./contract.ts";
import { once, scoped, seen } from "./once.ts";

/** What operators give and take by hand; all of it is a transaction of the ledger with their name and note, and an entry in `audit/`. */

/** Gives a user a reward, past the maximum of an item, too. Refuses what `prepareChanges` refuses, and `idempotency-key-reused`. */
export async function grantByHand(caller: Caller, request: z.output<typeof GrantRequest>): Promise<Acted> {
  const { key, user, reward, note } = request;
  log.info("reward granted by hand", { user, by: caller.uid });
  const outcome = await once(
    { key: scoped("by hand", key), request: { act: "grant", user, reward, note } },
    async (tx) => ({
      user,
      also: () =>
        writeDown(tx, { ...deed(caller, request), action: "rewards/grant", details: { reward: plain(reward) } }),
      change: {
        kind: "grant",
        direction: "give",
        coins: reward.coins,
        items: reward.items,
        entitlements: reward,
        reference: note,
        metadata: { operator: caller.uid },
      },
    }),
  );
  return seen(outcome);
}

/**
 * Takes something from a user, as far as it is there: coins that were spent are owed, items that were used up are missing, entitlements end
 * that were given in any way but by a purchase.
 */
export async function takeByHand(caller: Caller, request: z.output<typeof TakeRequest>): Promise<Taken> {
  const { key, user, taken, note } = request;
  log.info("taken by hand", { user, by: caller.uid });
  const { transaction, missingItems } = await once(
    { key: scoped("by hand", key), request: { act: "take", user, taken, note } },
    async (tx) => ({
      user,
      also: () => writeDown(tx, { ...deed(caller, request), action: "rewards/take", details: { taken: plain(taken) } }),
      change: {
        kind: "adjustment",
        direction: "takeBack",
        coins: taken.coins,
        items: taken.items,
        entitlements: { entitlements: taken.entitlements },
        reference: note,
        metadata: { operator: caller.uid },
      },
    }),
  );
  return { transaction, missingItems };
}

function deed(
  { uid }: Caller,
  { key, user, note }: { key: string; user: string; note: string },
): Pick<Deed, "key" | "by" | "subject" | "note"> {
  return { key, by: uid, subject: `users/${user}`, note };
}
