import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Table } from "./definitions.ts";
import { fallsOn, lotsOf, weightOf } from "./random.ts";
import { NOTHING, sumOf } from "./reward.ts";
import { roll, type Tables } from "./roll.ts";

const gives = (item: string, quantity = 1) => ({ ...NOTHING, items: { [item]: quantity } });
const entry = (id: string, weight: number) => ({ id, weight, reward: gives(id) });
const table = (rest: Partial<Table> & Pick<Table, "entries">): Table => ({
  title: "Chest",
  draws: 1,
  replacement: true,
  ...rest,
});
const only = (one: Table): Tables => new Map([["chest", one]]);
const open = (one: Table, times: number, { seed = "fixed", misses = 0 } = {}) =>
  roll(only(one), { table: "chest", times, seed, misses });

/** Pearson's statistic of what was counted against what the weights say. */
function chiSquare(counted: readonly number[], weights: readonly number[]): number {
  const all = counted.reduce((sum, n) => sum + n, 0);
  const whole = weights.reduce((sum, n) => sum + n, 0);
  return counted.reduce((sum, n, i) => {
    const expected = (all * (weights[i] ?? 0)) / whole;
    return sum + (n - expected) ** 2 / expected;
  }, 0);
}

describe("a draw", () => {
  test("comes out by weight: 20,000 of one seed differ from the odds by no more than chance", () => {
    const weights = [1, 4, 15, 30, 50];
    const { draws } = open(table({ entries: weights.map((weight, i) => entry(`e${i}`, weight)) }), 20_000);
    const counted = weights.map((_, i) => draws.filter((draw) => draw.entry === `e${i}`).length);
    // With four degrees of freedom, chance goes past 23.5 once in 10,000 times.
    expect(chiSquare(counted, weights)).toBeLessThan(23.5);
    expect(chiSquare([...counted].reverse(), weights)).toBeGreaterThan(23.5);
  });

  test("is as likely for each lot there is", () => {
    const lots = lotsOf("uniform");
    const counted = new Array<number>(16).fill(0);
    for (let n = 0; n < 32_000; n++) {
      const lot = lots(16);
      counted[lot] = (counted[lot] ?? 0) + 1;
    }
    // Fifteen degrees of freedom: past 44.3 once in 10,000 times.
    expect(chiSquare(counted, new Array<number>(16).fill(1))).toBeLessThan(44.3);
  });

  test("always falls on an entry, and on each from as many lots as it weighs", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }), (weights) => {
        const entries = weights.map((weight, i) => ({ weight, i }));
        const counted = new Array<number>(weights.length).fill(0);
        for (let lot = 0; lot < weightOf(entries); lot++) {
          const { i } = fallsOn(entries, lot);
          counted[i] = (counted[i] ?? 0) + 1;
        }
        expect(counted).toEqual(weights);
        expect(() => fallsOn(entries, weightOf(entries))).toThrow(RangeError);
      }),
    );
  });
});

/** Tables three deep, of whatever weights, draws and rewards. */
function anyTables(): fc.Arbitrary<Tables> {
  const tableOf = (level: number): fc.Arbitrary<Table> =>
    fc
      .array(
        fc.record({
          weight: fc.integer({ min: 1, max: 1_000_000 }),
          items: fc.dictionary(fc.constantFrom("wood", "gem", "constructor"), fc.integer({ min: 1, max: 9 })),
          isNested: fc.boolean(),
        }),
        { minLength: 1, maxLength: 6 },
      )
      .chain((rows) =>
        fc.record({
          title: fc.constant("any"),
          draws: fc.integer({ min: 1, max: 4 }),
          replacement: fc.boolean(),
          entries: fc.constant(
            rows.map(({ weight, items, isNested }, i) => ({
              id: `e${i}`,
              weight,
              reward: { ...NOTHING, items: { ...items } },
              ...(isNested && level < 2 ? { table: `t${level + 1}` } : {}),
            })),
          ),
        }),
      );
  return fc
    .tuple(tableOf(0), tableOf(1), tableOf(2))
    .map((all) => new Map(all.map((one, level) => [`t${level}`, one])));
}

describe("a table", () => {
  test("of any shape gives just what its draws say, each an entry of its table on a lot of its own", () => {
    fc.assert(
      fc.property(anyTables(), fc.string(), fc.integer({ min: 1, max: 4 }), (tables, seed, times) => {
        const { reward, draws } = roll(tables, { table: "t0", times, seed, misses: 0 });
        const entries = draws.map((draw) => tables.get(draw.table)?.entries.find(({ id }) => id === draw.entry));
        expect(entries).not.toContain(undefined);
        for (const { lot, below } of draws) expect(lot).toBeLessThan(below);
        expect(reward).toEqual(sumOf(entries.flatMap((one) => one?.reward ?? [])));
        const opened = (id: string) =>
          draws.filter((_, i) => entries[i]?.table === id).length + (id === "t0" ? times : 0);
        for (const [id, { draws: each, replacement, entries: all }] of tables) {
          const most = replacement ? each : Math.min(each, all.length);
          expect(draws.filter((draw) => draw.table === id)).toHaveLength(opened(id) * most);
        }
      }),
    );
  });

  test("comes out the same from the same seed, and otherwise from another", () => {
    const chest = table({ draws: 5, entries: [entry("a", 1), entry("b", 1), entry("c", 1)] });
    fc.assert(
      fc.property(fc.string(), (seed) => {
        expect(open(chest, 3, { seed })).toEqual(open(chest, 3, { seed }));
      }),
    );
    expect(open(chest, 20, { seed: "one" })).not.toEqual(open(chest, 20, { seed: "two" }));
  });

  test("without replacement gives no entry twice in one opening", () => {
    const chest = table({ draws: 3, replacement: false, entries: [entry("a", 1), entry("b", 90), entry("c", 1)] });
    expect(open(chest, 10).reward.items).toEqual({ a: 10, b: 10, c: 10 });
  });

  test("gives what is guaranteed, and what those below it draw", () => {
    const chest = table({
      guaranteed: gives("dust", 2),
      entries: [{ id: "deeper", weight: 1, table: "below", reward: gives("key") }],
    });
    const below = table({ draws: 2, entries: [entry("gem", 1)] });
    const tables = new Map([
      ["chest", chest],
      ["below", below],
    ]);
    const { reward, draws } = roll(tables, { table: "chest", times: 2, seed: "x", misses: 0 });
    expect(reward).toEqual({ ...NOTHING, items: { dust: 4, key: 2, gem: 4 } });
    expect(draws.map((draw) => draw.table)).toEqual(["chest", "below", "below", "chest", "below", "below"]);
  });

  test("an entry of which gives nothing is a draw all the same", () => {
    const { reward, draws } = open(table({ entries: [{ id: "blank", weight: 1 }] }), 3);
    expect(reward).toEqual(NOTHING);
    expect(draws).toHaveLength(3);
  });

  test("with pity never lets anybody miss more often than it says, however the lots fall", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), fc.nat({ max: 20 }), (seed, after, before) => {
        const chest = table({
          entries: [entry("common", 999), entry("rare", 1)],
          pity: { entries: ["rare"], after },
        });
        const { draws, misses } = open(chest, 60, { seed, misses: before });
        let missed = before;
        for (const draw of draws) {
          if (draw.isPity) expect(missed).toBeGreaterThanOrEqual(after);
          missed = draw.entry === "rare" ? 0 : missed + 1;
          expect(missed).toBeLessThanOrEqual(after);
        }
        expect(misses).toBe(missed);
      }),
    );
  });
});
