import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_PILE, type Pile, pileOf, put, stackOf, take } from "./stack.ts";

const MAX_LOTS = 20;
const expiring = (pile: Pile) => pile.lots.reduce((sum, { quantity }) => sum + quantity, 0);

interface Step {
  readonly put?: number;
  readonly seconds?: number | null;
  readonly take?: number;
  readonly wait?: number;
}

/** The stack after a step, and by how much it has changed. */
function happens(pile: Pile, now: number, { put: more, seconds, take: less, wait = 0 }: Step) {
  if (more !== undefined) {
    return { pile: put(pile, more, typeof seconds === "number" ? now + seconds : undefined), now, by: more };
  }
  if (less !== undefined) {
    const there = Math.min(less, pile.quantity);
    return { pile: take(pile, there), now, by: -there };
  }
  const gone = pile.lots.filter(({ expiresAt }) => expiresAt <= now + wait);
  return { pile: pileOf(stackOf(pile), now + wait), now: now + wait, by: -expiring({ quantity: 0, lots: gone }) };
}

/** What holds of every stack. */
function check(pile: Pile, now: number): void {
  const ends = pile.lots.map(({ expiresAt }) => expiresAt);
  expect(ends).toEqual([...ends].sort((a, b) => a - b));
  expect(ends.length).toBeLessThanOrEqual(MAX_LOTS);
  expect(expiring(pile)).toBeLessThanOrEqual(pile.quantity);
  expect(pile.lots.every(({ quantity, expiresAt }) => quantity > 0 && expiresAt > now)).toBe(true);
}

describe("a stack", () => {
  test("holds what was put on it less what was taken and what has expired, whatever happens", () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ put: fc.integer({ min: 1, max: 50 }), seconds: fc.option(fc.integer({ min: 1, max: 60 })) }),
      fc.record({ take: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ wait: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let pile = NO_PILE;
        let now = 0;
        for (const what of steps) {
          const after = happens(pile, now, what);
          expect(after.pile.quantity).toBe(pile.quantity + after.by);
          ({ pile, now } = after);
          check(pile, now);
        }
      }),
    );
  });

  test("is used up from what expires first", () => {
    const pile = put(put(put(NO_PILE, 5, undefined), 5, 200), 5, 100);
    expect(take(pile, 7)).toEqual({ quantity: 8, lots: [{ quantity: 3, expiresAt: 200 }] });
  });

  test("joins what ends at nearly the same time when there are many ends, and nobody loses by it", () => {
    let pile = NO_PILE;
    for (let end = 1; end <= 100; end++) pile = put(pile, 1, end * end);
    expect(pile.lots.length).toBeLessThanOrEqual(MAX_LOTS);
    for (const now of [1, 100, 2_500, 9_999]) {
      expect(pileOf(stackOf(pile), now).quantity).toBeGreaterThanOrEqual(100 - Math.floor(Math.sqrt(now)));
    }
  });
});
