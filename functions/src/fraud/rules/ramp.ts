/**
 * How far a number is above what raises no doubt, from 0 at the limit on towards 100: half as much again gives 56, twice as much 75, four
 * times as much 94.
 */
export function ramp(number: number, limit: number): number {
  if (number <= limit) return 0;
  return Math.round(100 * (1 - (limit / number) ** 2));
}
