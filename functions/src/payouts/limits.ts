import { now } from "../platform/clock.ts";
import { config } from "../platform/config.ts";
import { Failure } from "../platform/failure.ts";
import type { Usage, Withdrawal } from "./records.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BASIS_POINTS = 10_000;

/** When coins that are earned now can be paid out, in milliseconds since the epoch. */
export function clearsAt(earnedAt: number): number {
  return earnedAt + config.payoutClearingDays.value() * DAY;
}

/** Until when nothing new is paid out after something that a thief would do first, in milliseconds since the epoch. */
export function coolingOffEnd(): number {
  return now() + config.payoutCoolingOffHours.value() * HOUR;
}

/** What the house keeps of an amount; rounded down, in the user's favour. */
export function feeOf(amount: number): number {
  return Number((BigInt(amount) * BigInt(config.payoutFeeBasisPoints.value())) / BigInt(BASIS_POINTS));
}

/**
 * Whether two operators have to approve it: for its amount, or for what its owner has asked for in all in a day, for a large amount in many
 * parts is a large amount.
 */
export function needsFourEyes({ amount, createdAt }: Pick<Withdrawal, "amount" | "createdAt">, usage?: Usage): boolean {
  const { day } = dayOf(createdAt.toMillis());
  const inDay = usage?.day === day ? usage.inDay : 0;
  return Math.max(amount, inDay) > config.payoutReviewAbove.value();
}

/** Counts an amount in. Refuses `payout-too-small` and `payout-limit`. */
export function withUsage(usage: Usage | undefined, amount: number): Usage {
  const minimum = config.payoutMinimum.value();
  if (amount < minimum) {
    throw new Failure("failed-precondition", "This is too little to be paid out.", {
      reason: "payout-too-small",
      minimum,
    });
  }
  const { day, month } = today();
  const inDay = (usage?.day === day ? usage.inDay : 0) + amount;
  const inMonth = (usage?.month === month ? usage.inMonth : 0) + amount;
  check(inDay, amount, { limit: config.payoutMaximumPerDay.value(), period: "day" });
  check(inMonth, amount, { limit: config.payoutMaximumPerMonth.value(), period: "month" });
  return { day, inDay, month, inMonth };
}

/** Counts an amount out that did not leave after all, if its day and month are still on. */
export function withoutUsage(usage: Usage, amount: number, createdAt: number): Usage {
  const { day, month } = dayOf(createdAt);
  return {
    ...usage,
    inDay: usage.inDay - (usage.day === day ? Math.min(amount, usage.inDay) : 0),
    inMonth: usage.inMonth - (usage.month === month ? Math.min(amount, usage.inMonth) : 0),
  };
}

function check(used: number, amount: number, { limit, period }: { limit: number; period: string }): void {
  if (used <= limit) return;
  throw new Failure("failed-precondition", `No more can be paid out this ${period}.`, {
    reason: "payout-limit",
    period,
    limit,
    remaining: Math.max(0, limit - used + amount),
  });
}

function today(): { day: string; month: string } {
  return dayOf(now());
}

function dayOf(millis: number): { day: string; month: string } {
  const day = new Date(millis).toISOString().slice(0, 10);
  return { day, month: day.slice(0, 7) };
}
