import * as z from "zod";
import { readReview } from "../../fraud/index.ts";
import { transact } from "../../platform/firestore.ts";
import { keepUntil, tellReceiver } from "./give.ts";
import { gifts } from "./records.ts";
import { prepareReturn } from "./return.ts";

/** The event `review.decided`, as far as it matters here. */
const Decided = z.object({ kind: z.string(), subject: z.string() });

/**
 * A review was decided: if it was a gift's, that now waits for its receiver, for as long as if it had been given now, or goes back to its
 * buyer. What the review says now counts, not what the event says; told again it changes nothing.
 *
 * Bill: 2 reads and 2 writes; rejected what {@link prepareReturn} costs.
 */
export async function giftDecided(data: unknown): Promise<void> {
  const { kind, subject: id } = Decided.parse(data);
  if (kind !== "gift") return;
  await transact(async (tx) => {
    const gift = (await tx.get(gifts().doc(id))).data();
    if (gift?.state !== "review") return;
    const { state } = await readReview(tx, { kind: "gift", subject: id });
    if (state === "approved") {
      tx.set(gifts().doc(id), { ...gift, state: "pending", expiresAt: keepUntil() });
      tellReceiver(tx, id, gift);
    }
    if (state === "rejected") (await prepareReturn(tx, id, gift))("rejected");
  });
}
