import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useBackend } from "../../testing/backend.ts";
import { forgetAll } from "../platform/cache.ts";
import { setClock } from "../platform/clock.ts";
import { behind, bucketOf, merged, split, UNKNOWN } from "./buckets.ts";
import { RanksRequest, StandingRequest } from "./contract.ts";
import { placeOf } from "./place.ts";
import { setExactBound } from "./rank.ts";
import { ranks } from "./ranks.ts";
import { boards, histograms } from "./records.ts";
import { runBoardTask } from "./redis/upkeep.ts";
import { Board } from "./settings.ts";
import { standing } from "./standing.ts";
import { store } from "./store.ts";

const backend = useBackend();
const BEGIN = Date.parse("2026-11-20T10:00:00Z");
const PLAYERS = 2_000;
const BOUND = 50;

describe("ranks of a board too large to be counted, without Redis", () => {
  let time = BEGIN;
  let board = "";
  /** Scores bunch: many have none, some have much. */
  const field: { player: string; score: number; at: number }[] = [];
  const resets: (() => void)[] = [];

  beforeAll(async () => {
    resets.push(
      setClock(() => time),
      setExactBound(BOUND),
    );
    board = `board-${randomUUID()}`;
    const settings = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000, periods: ["allTime"] };
    await boards().doc(board).set(Board.parse(settings));
    for (let i = 0; i < PLAYERS; i++) {
      field.push({
        player: `player-${i}`,
        score: i % 3 === 0 ? 0 : Math.floor(((i * 7_919) % 1_000) ** 3 / 1_000),
        at: time,
      });
    }
    await submitAll(field);
  }, 60_000);
  afterAll(() => {
    for (const reset of resets) reset();
  });

  async function submitAll(many: readonly { player: string; score: number; at: number }[]): Promise<void> {
    const settings = Board.parse((await boards().doc(board).get()).data());
    const waiting = many.map(({ player, score, at }) => {
      const entering = { player, score, at, now: at, attempt: randomUUID() };
      return store({ id: board, board: settings, entering, caller: { uid: player, name: player } });
    });
    await Promise.all(waiting);
  }

  const ordered = () => field.toSorted((a, b) => b.score - a.score || a.at - b.at || (a.player < b.player ? -1 : 1));

  async function stands(uid: string) {
    const request = StandingRequest.parse({ board, period: "allTime", neighbours: 2 });
    return await backend.billed(() => standing({ uid }, request));
  }

  async function countAll(): Promise<number> {
    const { bill } = await backend.billed(async () => {
      for (let i = 0; i < backend.tasks.length; i++) await runBoardTask(backend.tasks[i]?.data);
    });
    return bill.reads;
  }

  test("are exact up to the bound, and the least they can be until players were counted", async () => {
    const all = ordered();
    const [first, far] = [all[BOUND - 1], all[700]];
    expect((await stands(first?.player ?? "")).result).toMatchObject({ rank: BOUND, of: BOUND, approximate: true });
    const { result } = await stands(far?.player ?? "");
    expect(result).toMatchObject({ rank: BOUND + 1, of: BOUND + 1, approximate: true });
    expect(result.neighbours.map(({ player }) => player)).toEqual(all.slice(698, 703).map(({ player }) => player));
  });

  test("are right once they were, for a bill that has a bound", async () => {
    const reads = await countAll();
    expect(reads).toBeLessThan(PLAYERS / 5);
    const { counts } = (await histograms(board).doc("allTime-all").get()).data()?.done ?? { counts: [] };
    expect(Math.max(...counts)).toBeLessThanOrEqual(BOUND);
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(PLAYERS);
    forgetAll();
    for (const [i, { player }] of [...ordered().entries()].filter(([place]) => place % 111 === 60)) {
      const { result, bill } = await stands(player);
      expect(result).toMatchObject({ rank: i + 1, of: PLAYERS, approximate: true });
      expect(result.neighbours.map(({ rank }) => rank)).toEqual([i - 1, i, i + 1, i + 2, i + 3]);
      expect(bill.reads).toBeLessThanOrEqual(1 + 4 + 4 + 2);
    }
    const named = ordered().filter((_, place) => place % 40 === 3);
    const request = RanksRequest.parse({ board, period: "allTime", players: named.map(({ player }) => player) });
    const { result, bill } = await backend.billed(() => ranks({ uid: "x" }, request));
    expect(result.rows.map(({ rank }) => rank)).toEqual(named.map((_, place) => place * 40 + 4));
    expect(result.rows.map(({ approximate = false }) => approximate)).toEqual(named.map((_, place) => place > 1));
    expect(bill.reads).toBeLessThanOrEqual(3 * named.length);
  });

  test("are off by no more than what was submitted since, and right again when they were counted anew", async () => {
    const moved = field.filter((_, i) => i % 40 === 7);
    time += 5_000;
    for (const one of moved) Object.assign(one, { score: one.score + 500_000, at: time });
    await submitAll(moved);
    for (const [i, { player }] of [...ordered().entries()].filter(([place]) => place % 211 === 90)) {
      const { rank = 0, of } = (await stands(player)).result;
      expect(Math.abs(rank - i - 1)).toBeLessThanOrEqual(moved.length);
      expect(of).toBe(PLAYERS);
    }
    time += 700_000;
    forgetAll();
    const from = backend.tasks.length;
    await stands(moved[0]?.player ?? "");
    expect(backend.tasks).toHaveLength(from + 1);
    for (let i = from; i < backend.tasks.length; i++) await runBoardTask(backend.tasks[i]?.data);
    forgetAll();
    for (const [i, { player }] of [...ordered().entries()].filter(([place]) => place % 211 === 90)) {
      expect((await stands(player)).result).toMatchObject({ rank: i + 1, of: PLAYERS });
    }
  });
});

describe("buckets", () => {
  const board = { order: "descending", subscore: "ascending" } as const;
  const scored = fc.record({
    score: fc.maxSafeInteger(),
    sub: fc.maxSafeInteger(),
    at: fc.nat({ max: 4_000_000_000_000 }),
  });

  const id = fc.string({ unit: fc.constantFrom(..."-0aZz_"), minLength: 1, maxLength: 8 });

  test("are split between what they begin and end with", () => {
    fc.assert(
      fc.property(
        scored,
        fc.oneof(scored, fc.constant(undefined)),
        fc.array(id, { minLength: 2, maxLength: 2 }),
        (one, other, ids) => {
          const [from = "", to = ""] = [one, other ?? one].map((of, i) => `${placeOf(board, of)}|${ids[i]}`).sort();
          const at = split({ places: [from], counts: [UNKNOWN], end: to }, 0);
          if (at === undefined) expect(to < behind(behind(from))).toBe(true);
          else expect([from, at, to].toSorted()).toEqual([from, at, to]);
          expect(at).not.toBe(from);
        },
      ),
    );
  });

  test("that are put together keep who is in front of each", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 }), (counts) => {
        const places = counts.map((_, i) => String(i).padStart(3, "0"));
        const less = merged({ places, counts, end: "f" }, 9);
        for (const place of less.places) {
          const own = bucketOf({ places, counts }, place);
          expect(bucketOf(less, place).before).toBe(own.before);
        }
        expect(Math.max(...less.counts)).toBeLessThanOrEqual(9);
      }),
    );
  });
});
