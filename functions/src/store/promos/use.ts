import { now } from "../../platform/clock.ts";
import { Failure } from "../../platform/failure.ts";
import { type Transaction, timestamp, transact } from "../../platform/firestore.ts";
import { deterministicId } from "../../platform/ids.ts";
import type { Pile } from "../../platform/stock.ts";
import { once } from "../shop/once.ts";
import { codeId } from "./code.ts";
import { promoPath } from "./define.ts";
import { attempts, type PromoCode, promos, type Redemptions, redemptions } from "./records.ts";

/** Wrong codes that a user may try in an hour. */
const MAX_WRONG = 10;
const WINDOW_MILLIS = 3_600_000;
const ATTEMPTS = "codes";

/** A code that there is. */
export interface FoundCode extends PromoCode {
  readonly id: string;
}

/**
 * Looks a code up for a user, who may be wrong ten times an hour: looking and counting are one transaction, so that many at once are no way
 * round it. Two reads; a write if it is wrong. Refuses `unknown-code` and `too-many-attempts`.
 */
export async function findCode(user: string, code: string): Promise<FoundCode> {
  const id = codeId(code);
  const look = async (tx: Transaction) => {
    const [tried, promo] = await Promise.all([tx.get(attempts(user).doc(ATTEMPTS)), tx.get(promos().doc(id))]);
    const before = tried.data();
    const since = before && before.since.toMillis() > now() - WINDOW_MILLIS ? before.since : timestamp();
    const failed = since === before?.since ? before.failed : 0;
    if (failed >= MAX_WRONG) throw tooMany(since.toMillis() + WINDOW_MILLIS - now());
    const known = promo.data();
    if (!known) tx.set(attempts(user).doc(ATTEMPTS), { failed: failed + 1, since });
    return known;
  };
  const found = await once(
    () => transact(look),
    async () => undefined,
  );
  if (!found) throw new Failure("not-found", "There is no such code.", { reason: "unknown-code" });
  return { ...found, id };
}

/** How often a code may still be redeemed by everybody together, if that has an end. */
export function codePile({ id, maxRedemptions }: FoundCode, seed: string): Pile | undefined {
  return maxRedemptions === undefined ? undefined : { path: promoPath(id), total: maxRedemptions, count: 1, seed };
}

/** A code that is about to be used, as part of a transaction. */
export interface CodeUse {
  /** The ledger's transaction of the time before, if the same request has used it already. */
  readonly usedBefore: string | undefined;
  write(transaction: string): void;
}

/**
 * Uses a code for a user, once for each key. A read and a write; for one of those that are good for one time one more of each.
 * Refuses `code-over` and `limit-reached`.
 */
export async function prepareUse(
  tx: Transaction,
  user: string,
  code: FoundCode,
  { key, by }: { readonly key: string; readonly by: "redeeming" | "buying" },
): Promise<CodeUse> {
  const reference = redemptions(user).doc(code.campaign);
  const known = (await tx.get(reference)).data();
  // What a user makes up as a key can be the id of what they are about to buy.
  const place = by === "buying" ? deterministicId("redemption", by, key) : deterministicId("redemption", key);
  const before = known?.done[place]?.transaction;
  if (before !== undefined) return { usedBefore: before, write: () => undefined };
  checkOpen(code);
  checkLimit(known, code.promo.perUser);
  if (code.single) {
    const current = (await tx.get(promos().doc(code.id))).data();
    if (current?.usedBy !== undefined) throw over();
  }
  return {
    usedBefore: undefined,
    write: (transaction) => {
      const at = timestamp();
      tx.set(reference, { done: { ...known?.done, [place]: { transaction, at } }, updatedAt: at });
      if (code.single) tx.update(promos().doc(code.id), { usedBy: user, usedAt: at });
    },
  };
}

/** Refuses `code-over` before and after the time in which a code can be redeemed. */
export function checkOpen({ promo: { from = 0, until = Number.POSITIVE_INFINITY } }: PromoCode): void {
  if (now() < from || now() >= until) throw over();
}

/** That a code cannot be redeemed, or not any more. */
export function over(): Failure {
  return new Failure("failed-precondition", "This code cannot be redeemed now.", { reason: "code-over" });
}

function checkLimit(known: Redemptions | undefined, limit: number): void {
  const used = Object.keys(known?.done ?? {}).length;
  if (used < limit) return;
  throw new Failure("failed-precondition", "You have redeemed this as often as you may.", {
    reason: "limit-reached",
    limit,
    remaining: 0,
  });
}

function tooMany(millis: number): Failure {
  return new Failure("resource-exhausted", "Too many wrong codes; try again later.", {
    reason: "too-many-attempts",
    limit: MAX_WRONG,
    retryAfter: Math.ceil(millis / 1_000),
  });
}
