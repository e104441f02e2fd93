import { config } from "../platform/config.ts";
import { currencyOf } from "./currencies.ts";
import type { LotKind } from "./lots.ts";

const DAY = 86_400_000;

/**
 * As what something is given that was earned at a time, in milliseconds since the epoch: where it can be paid out in money it has to clear
 * first, for as many days as PAYOUT_CLEARING_DAYS says, because what it was paid with may be taken back.
 */
export function earnedAt(at: number, currency: string): LotKind {
  if (!currencyOf(currency).redeemable.includes("earned")) return { source: "earned" };
  const days = config.payoutClearingDays.value();
  return days > 0 ? { source: "earned", clearsAt: at + days * DAY } : { source: "earned" };
}
