import type * as z from "zod";
import { prepareNotice } from "../../notices/index.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { endAfter, groundsFrom, prepareChanges, readEntitlements, writeEntitlements } from "../../rewards/index.ts";
import { WALLET } from "../shop/buy.ts";
import { once } from "../shop/once.ts";
import type { Answered, AnswerRequest } from "./contract.ts";
import { type Gift, gifts } from "./records.ts";
import { prepareReturn } from "./return.ts";

/** States of which the receiver knows nothing; firestore.rules says the same. */
const HIDDEN: ReadonlySet<Gift["state"]> = new Set(["review", "rejected"]);

/**
 * Takes a gift: what it gives is the caller's, once.
 * Bill: a read for the gift and each currency and entitlement; a write for these, the ledger's transaction, each item and the giver's notice.
 * Refuses `unknown-gift`, `gift-closed`, `balance-too-large`.
 */
export async function acceptGift(caller: Caller, { gift: id }: z.output<typeof AnswerRequest>): Promise<Answered> {
  return await answer(id, caller.uid, "accepted", async (tx, gift) => {
    const { to, from, grant, product, purchase } = gift;
    const changes = await prepareChanges(tx, to, [
      {
        key: `gift ${id}`,
        kind: "purchase",
        direction: "give",
        coins: grant.coins,
        items: grant.items,
        reference: `gift:${id}`,
        metadata: { product, purchase },
      },
    ]);
    const held = await readEntitlements(tx, to, grant.entitlements);
    changes.write();
    const end = endAfter(groundsFrom(WALLET, held.values()), grant.entitlementSeconds);
    const ground = { product, store: WALLET, endsAt: end === null ? null : timestamp(end), willRenew: false };
    writeEntitlements(tx, held, { user: to, id, ground });
    tx.set(gifts().doc(id), { ...gift, state: "accepted", answeredAt: timestamp() });
    prepareNotice(tx, { user: from, key: id, kind: "gift-accepted", data: { gift: id, to, product } });
  });
}

/** Sends a gift back: the buyer has again what it cost. Refuses `unknown-gift` and `gift-closed`. */
export async function declineGift(caller: Caller, { gift: id }: z.output<typeof AnswerRequest>): Promise<Answered> {
  return await answer(id, caller.uid, "declined", async (tx, gift) => {
    (await prepareReturn(tx, id, gift))("declined");
  });
}

async function answer(
  id: string,
  user: string,
  state: Answered["state"],
  act: (tx: Transaction, gift: Gift) => Promise<void>,
): Promise<Answered> {
  return await once(
    () =>
      transact(async (tx) => {
        const gift = (await tx.get(gifts().doc(id))).data();
        if (gift?.to !== user || HIDDEN.has(gift.state))
          throw new Failure("not-found", "There is no such gift.", { reason: "unknown-gift" });
        if (gift.state === state) return answeredOf(gift, state, true);
        if (gift.state !== "pending" || gift.expiresAt.toMillis() <= now()) throw closed();
        await act(tx, gift);
        return answeredOf(gift, state, false);
      }),
    async () => undefined,
  );
}

function answeredOf({ grant }: Gift, state: Answered["state"], repeated: boolean): Answered {
  return { state, ...(state === "accepted" ? { grant } : {}), repeated };
}

function closed(): Failure {
  return new Failure("failed-precondition", "This gift cannot be answered any more.", { reason: "gift-closed" });
}
