import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareScored, GLOBAL, orderOf, placeOf, rangeOf, readOrder, type Scope } from "./place.ts";

const sign = (number: number) => Math.sign(number);
const order = fc.constantFrom("descending" as const, "ascending" as const);
const subscore = fc.constantFrom("none" as const, "descending" as const, "ascending" as const);
const wide = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -5, max: 5 }));
const place = fc.record({
  score: wide,
  sub: wide,
  at: fc.integer({ min: 0, max: 2 ** 45 }),
  player: fc.stringMatching(/^[A-Za-z0-9]{1,28}$/),
});
const turned = (a: number, b: number, way: "descending" | "ascending") => {
  const difference = a === b ? 0 : a < b ? -1 : 1;
  return way === "descending" ? -difference : difference;
};

test("players are ordered by score, then by subscore, then by who was earlier, then by id; either way round", () => {
  fc.assert(
    fc.property(place, place, order, subscore, (a, b, way, second) => {
      const board = { order: way, subscore: second };
      const bySub = second === "none" ? 0 : turned(a.sub, b.sub, second);
      const byPlayer = a.player === b.player ? 0 : a.player < b.player ? -1 : 1;
      const expected = turned(a.score, b.score, way) || bySub || a.at - b.at;
      expect(sign(compareScored(board, a, b))).toBe(sign(expected));
      const [x, y] = [a, b].map((one) =>
        orderOf({ season: "s", scope: GLOBAL, place: placeOf(board, one), player: one.player }),
      ) as [string, string];
      expect(x < y ? -1 : x > y ? 1 : 0).toBe(sign(expected || byPlayer));
    }),
  );
});

test("whoever is in a season and scope lies between where it begins and ends, and nobody else does", () => {
  const scope: fc.Arbitrary<Scope> = fc.oneof(
    fc.constant(GLOBAL),
    fc.record({ kind: fc.constantFrom("country" as const, "group" as const), id: fc.constantFrom("DE", "D", "DEU") }),
  );
  const season = fc.constantFrom("2026-11-20", "2026-11-2", "2026-W47", "all");
  fc.assert(
    fc.property(place, season, season, scope, scope, (one, mine, other, ours, theirs) => {
      const at = orderOf({
        season: mine,
        scope: ours,
        place: placeOf({ order: "descending", subscore: "none" }, one),
        player: one.player,
      });
      const { first, last } = rangeOf({ season: other, scope: theirs });
      const isIn = first < at && at < last;
      const name = (of: Scope) => (of.kind === "global" ? "" : of.id);
      // What is ranked globally and what is ranked in a scope are kept in different fields.
      if ((ours.kind === "global") !== (theirs.kind === "global")) return;
      expect(isIn).toBe(mine === other && name(ours) === name(theirs));
    }),
  );
});

test("what is ordered is read back as it was, and only in its own season and scope", () => {
  const germany: Scope = { kind: "country", id: "DE" };
  fc.assert(
    fc.property(place, order, subscore, fc.constantFrom(GLOBAL, germany), ({ player, ...of }, way, second, scope) => {
      const board = { order: way, subscore: second };
      const text = orderOf({ season: "2026-W47", scope, place: placeOf(board, of), player });
      const { sub, ...rest } = of;
      const expected = { ...rest, ...(second === "none" ? {} : { sub }), player };
      expect(readOrder(board, { season: "2026-W47", scope, text })).toEqual(expected);
      expect(readOrder(board, { season: "2026-W48", scope, text })).toBeUndefined();
    }),
  );
});
