import { Failure } from "../../platform/failure.ts";
import { type Transaction, timestamp } from "../../platform/firestore.ts";
import { limits } from "./records.ts";

/** Counts what one user buys of a product that limits it, as part of a transaction. A read and a write. Refuses `limit-reached`. */
export async function countFor(
  tx: Transaction,
  user: string,
  { product, count, limit }: { product: string; count: number; limit: number | undefined },
): Promise<() => void> {
  if (limit === undefined) return () => undefined;
  const reference = limits(user).doc(product);
  const bought = (await tx.get(reference)).data()?.bought ?? 0;
  if (bought + count > limit) {
    const remaining = Math.max(0, limit - bought);
    throw new Failure("failed-precondition", "Nobody may buy more of it.", {
      reason: "limit-reached",
      limit,
      remaining,
    });
  }
  return () => {
    tx.set(reference, { bought: bought + count, updatedAt: timestamp() });
  };
}

/** Counts back what a user has not bought after all. A read and a write. */
export async function uncountFor(
  tx: Transaction,
  user: string,
  { product, count }: { product: string; count: number },
): Promise<() => void> {
  const reference = limits(user).doc(product);
  const known = (await tx.get(reference)).data();
  return () => {
    if (known) tx.set(reference, { bought: Math.max(0, known.bought - count), updatedAt: timestamp() });
  };
}
