import fc from "fast-check";
import { expect, test } from "vitest";
import type { Row } from "../contract.ts";
import { type Delta, deltaOf, type Shown, shownOf } from "./delta.ts";

const PATH = "live/leaderboards/arcade/global/daily";

/** What is below the path once an update has been made, as the Realtime Database does. */
function updated(before: unknown, delta: Delta): unknown {
  const tree = { at: structuredClone(before) };
  for (const [path, value] of Object.entries(delta)) {
    const keys = path === PATH ? [] : path.slice(PATH.length + 1).split("/");
    put(tree, ["at", ...keys], value);
  }
  return tree.at;
}

function put(tree: Record<string, unknown>, [key = "", ...rest]: string[], value: unknown): void {
  if (rest.length > 0) {
    const below = (tree[key] ?? {}) as Record<string, unknown>;
    put(below, rest, value);
    if (Object.keys(below).length === 0) delete tree[key];
    else tree[key] = below;
  } else if (value === null) delete tree[key];
  else tree[key] = structuredClone(value);
}

const player = fc.constantFrom("ada", "bo", "a.b/c", "100%", "__proto__x", "constructor", "di");
const row = fc.record(
  {
    rank: fc.constant(1),
    player,
    name: fc.constantFrom("Ada", "Bo"),
    picture: fc.constantFrom("https://example.com/a.png", "https://example.com/b.png"),
    country: fc.constantFrom("DE", "FR"),
    score: fc.integer({ min: 0, max: 3 }),
    subscore: fc.integer({ min: 0, max: 2 }),
    at: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: ["rank", "player", "name", "score", "at"] },
) as fc.Arbitrary<Row>;
const step = fc.record({
  season: fc.constantFrom("2026-11-20", "2026-11-21"),
  rows: fc.uniqueArray(row, { selector: (one) => one.player, maxLength: 6 }),
});

test("updates made in order always give the first of the season that is on, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (history) => {
      let there: unknown;
      for (const [time, { season, rows }] of history.entries()) {
        const after = shownOf(season, rows, time);
        const delta = deltaOf(PATH, there as Shown | undefined, after);
        there = updated(there, delta);
        expect({ ...(there as Shown), updatedAt: time }).toEqual(after);
      }
    }),
    { numRuns: 500 },
  );
});

test("no path of an update is part of another, which the Realtime Database would refuse", () => {
  fc.assert(
    fc.property(step, step, (one, other) => {
      const before = shownOf(one.season, one.rows, 1);
      const paths = Object.keys(deltaOf(PATH, before, shownOf(other.season, other.rows, 2))).sort();
      for (const path of paths) expect(paths.filter((longer) => longer.startsWith(`${path}/`))).toEqual([]);
    }),
  );
});

test("an update says nothing of who has not changed, and nothing at all if nobody has", () => {
  const rows: Row[] = Array.from({ length: 100 }, (_, i) => ({
    rank: i + 1,
    player: `p${i}`,
    name: `Player ${i}`,
    score: 1_000 - i,
    at: i,
  }));
  const before = shownOf("2026-11-20", rows, 1);
  expect(deltaOf(PATH, before, shownOf("2026-11-20", rows, 2))).toEqual({});
  const better = rows.map((one) => (one.player === "p99" ? { ...one, score: 5_000, at: 200 } : one));
  expect(deltaOf(PATH, before, shownOf("2026-11-20", better, 2))).toEqual({
    [`${PATH}/players/p99/score`]: 5_000,
    [`${PATH}/players/p99/at`]: 200,
    [`${PATH}/updatedAt`]: 2,
  });
});
