import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CANCELABLE, isOver, mayFollow, NEXT, type Place, PUTS, STATES, type State } from "./states.ts";

/** Every way from being asked for to its end. */
function paths(from: State): State[][] {
  return isOver(from) ? [[from]] : NEXT[from].flatMap((next) => paths(next).map((rest) => [from, ...rest]));
}

/** Where the coins are in each state of a way. */
const walk = (path: readonly State[]) => path.map((_, i) => placeAfter(path.slice(0, i + 1)));
const placeAfter = (path: readonly State[]) => path.reduce<Place>((place, state) => PUTS[state] ?? place, "wallet");

describe("the states of a withdrawal", () => {
  test("all lead to an end, and none comes twice on a way", () => {
    const all = paths("requested");
    expect(all.length).toBeGreaterThan(10);
    for (const path of all) expect(new Set(path).size).toBe(path.length);
    expect(new Set(all.flat())).toEqual(new Set(STATES));
  });

  test("put the coins aside once, and end with them in the wallet or, if it is paid, gone", () => {
    for (const path of paths("requested")) {
      const places = walk(path);
      const moves = places.filter((place, i) => i > 0 && place !== places[i - 1]);
      expect([[], ["hold", "wallet"], ["hold", "gone", "wallet"]]).toContainEqual(moves);
      expect(places.at(-1)).toBe("wallet");
    }
    for (const state of STATES) {
      if (mayFollow(state, "failed")) expect(["paying", "paid"]).toContain(state);
    }
  });

  test("never give coins back while Stripe may have them, but by its word: a refusal or a reversal", () => {
    const atStripe: readonly State[] = ["transferring", "transferred", "paying", "paid", "failed", "reversing"];
    const back = atStripe.flatMap((state) =>
      NEXT[state].filter((next) => PUTS[next] === "wallet").map((next) => [state, next]),
    );
    expect(back).toEqual([
      ["transferring", "rejected"],
      ["reversing", "returned"],
    ]);
    for (const state of atStripe) expect(CANCELABLE.has(state)).toBe(false);
  });

  test("follow each other only as the table says", () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATES), fc.constantFrom(...STATES), (from, to) => {
        expect(mayFollow(from, to)).toBe(NEXT[from].some((next) => next === to));
        expect(mayFollow(from, to) && mayFollow(to, from)).toBe(false);
      }),
    );
  });
});
