import type { Interval } from "./prices.ts";

/** Billing periods: https://docs.stripe.com/billing/subscriptions/billing-cycle. Times are seconds since the epoch, in UTC. */

const DAY = 86_400;

/**
 * The end of a period that starts at `start`. Months end on the anchor's day, or on their last day if they are shorter: after the
 * 31st of January comes the 28th of February, and then the 31st of March.
 */
export function periodEnd(start: number, interval: Interval, count: number, anchor: number): number {
  if (interval === "day") return start + count * DAY;
  if (interval === "week") return start + count * 7 * DAY;
  const from = new Date(start * 1_000);
  const months = from.getUTCMonth() + count * (interval === "year" ? 12 : 1);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const day = Math.min(new Date(anchor * 1_000).getUTCDate(), lastDay);
  const timeOfDay = ((start % DAY) + DAY) % DAY;
  return Date.UTC(from.getUTCFullYear(), months, day) / 1_000 + timeOfDay;
}
