import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { has } from "../../../testing/economy.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { players } from "../records.ts";
import { closeSeasons } from "../seasons/close.ts";
import { BoardSettings } from "../settings.ts";
import { league as leagueOf } from "./league.ts";

const backend = useBackend();
const { at, closeAt, newBoard, resultOf, score } = useSeasons(backend);
const RULES = { period: "daily", tiers: 3, size: 4, promote: 1, demote: 1 };
const newLeague = (rest: object = {}) => newBoard({ periods: ["daily"], league: { ...RULES, ...rest } });
const league = (player: Caller, board: string) => leagueOf(player, { board });
const tierOf = async (player: Caller, board: string) => (await league(player, board)).tier;

describe("a league", () => {
  test("puts players into cohorts of their tier at their first score, and opens the next when one is full", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newLeague();
    const all = Array.from({ length: 6 }, (_, i) => someone(`P${i}`));
    const first = await backend.billed(() => score(all[0] as Caller, board, 10));
    // The board, the player before and after the seat, and the seat; the seat and the player.
    // Besides, the two documents of a profile, once before there is a seat and once with it.
    expect(first.bill).toEqual({ reads: 1 + 2 + 1 + 4, writes: 2, deletes: 0 });
    for (const [i, player] of all.entries()) await score(player, board, i);
    const [mine, last] = [await league(all[0] as Caller, board), await league(all[5] as Caller, board)];
    expect(mine).toMatchObject({ tier: 1, cohort: "1-1", season: "2026-11-20" });
    expect(mine.rows.map(({ rank, name }) => [rank, name])).toEqual([
      [1, "P0"],
      [2, "P3"],
      [3, "P2"],
      [4, "P1"],
    ]);
    expect(last.rows.map(({ name }) => name)).toEqual(["P5", "P4"]);
    expect(await league(someone(), board)).toMatchObject({ tier: 1, rows: [] });
    const again = await backend.billed(() => score(all[1] as Caller, board, 50));
    expect(again.bill).toEqual({ reads: 0, writes: 1, deletes: 0 });
  });

  test("has no cohort with more players than it may have, and none without a place, however many come at once", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newLeague({ size: 5 });
    const crowd = Array.from({ length: 43 }, () => someone());
    await Promise.all(crowd.map((player) => score(player, board, 1)));
    const { docs } = await players(board).get();
    const key = Date.parse("2026-11-20T00:00:00Z") / 86_400_000;
    const cohorts = Map.groupBy(docs, (one) => one.data()[key % 2 === 0 ? "d0" : "d1"]?.group);
    expect([...cohorts.values()].map(({ length }) => length).sort()).toEqual([3, 5, 5, 5, 5, 5, 5, 5, 5]);
  });

  test("has nobody play on before it is known in which tier", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newLeague();
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 10);
    at("2026-11-21T00:00:00Z");
    await expect(score(ada, board, 10)).rejects.toMatchObject({ reason: "season-closing" });
    await score(bo, board, 10);
    await closeAt("2026-11-21T00:03:00Z");
    await score(ada, board, 10);
    expect(await league(ada, board)).toMatchObject({ tier: 2, cohort: "2-1" });
    expect(await resultOf(board, "daily-2026-11-20", ada.uid)).toMatchObject({
      rank: 1,
      league: { tier: 1, cohort: "1-1", rank: 1, tierAfter: 2 },
    });
  });

  test("gives prizes in each cohort", async () => {
    at("2026-11-20T12:00:00Z");
    const prizes = [{ period: "daily", scope: "group", from: 1, to: 1, reward: { coins: { COIN: 9 } } }];
    const board = await newBoard({ periods: ["daily"], league: RULES, prizes });
    const all = Array.from({ length: 6 }, () => someone());
    for (const [i, player] of all.entries()) await score(player, board, 100 - i);
    await closeAt("2026-11-21T00:03:00Z");
    const coins = await Promise.all(all.map(({ uid }) => has(uid)));
    expect(coins).toEqual([{ COIN: 9 }, {}, {}, {}, { COIN: 9 }, {}]);
  });

  test("moves nobody twice, however often its season is closed, or by how many at once", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newLeague();
    const all = Array.from({ length: 8 }, () => someone());
    for (const [i, player] of all.entries()) await score(player, board, 100 - i);
    at("2026-11-21T01:00:00Z");
    for (let steps = 0; steps < 8; steps++) {
      await Promise.allSettled([closeSeasons(board, "daily", 1), closeSeasons(board, "daily", 1)]);
    }
    await closeAt("2026-11-21T01:10:00Z");
    expect(await Promise.all(all.map((player) => tierOf(player, board)))).toEqual([2, 1, 1, 1, 2, 1, 1, 1]);
  });

  test("moves players as a plain model does, over random seasons", { timeout: 60_000 }, async () => {
    const PLAYERS = 14;
    const season = fc.shuffledSubarray(
      Array.from({ length: PLAYERS }, (_, i) => i),
      { minLength: 1 },
    );
    const rules = fc.record({
      tiers: fc.integer({ min: 2, max: 4 }),
      size: fc.integer({ min: 2, max: 6 }),
      promote: fc.integer({ min: 0, max: 1 }),
      demote: fc.integer({ min: 0, max: 1 }),
    });
    const history = fc.array(season, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(rules, history, async (rule, seasons) => {
        at("2026-11-01T12:00:00Z");
        const board = await newLeague(rule);
        const all = Array.from({ length: PLAYERS }, () => someone());
        const model = all.map(() => 1);
        for (const [day, order] of seasons.entries()) {
          at(`2026-11-${String(day + 1).padStart(2, "0")}T12:00:00Z`);
          // In the order in which they come; who comes later is better.
          for (const [i, who] of order.entries()) await score(all[who] as Caller, board, i);
          await closeAt(`2026-11-${String(day + 2).padStart(2, "0")}T00:03:00Z`);
          playModel(model, order, rule);
        }
        expect(await Promise.all(all.map((player) => tierOf(player, board)))).toEqual(model);
      }),
      { numRuns: 8 },
    );
  });

  test.each([
    ["league.demote", { league: { ...RULES, promote: 3, demote: 2 } }],
    ["league", { league: { ...RULES, period: "weekly" } }],
    ["league", { league: RULES, scopes: ["group"] }],
  ])("is refused where %s does not fit", (field, wrong) => {
    const settings = { title: "L", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, periods: ["daily"], ...wrong };
    const parsed = BoardSettings.safeParse(settings);
    expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual([field]);
  });
});

interface Rule {
  readonly tiers: number;
  readonly size: number;
  readonly promote: number;
  readonly demote: number;
}

/** A season by hand: whoever comes joins the last cohort of their tier that is not full, and the last to come is the best. */
function playModel(tierOfPlayer: number[], order: readonly number[], { tiers, size, promote, demote }: Rule): void {
  const cohorts: { tier: number; members: number[] }[] = [];
  for (const who of order) {
    const tier = tierOfPlayer[who] ?? 1;
    const open = cohorts.find((one) => one.tier === tier && one.members.length < size);
    if (open) open.members.unshift(who);
    else cohorts.push({ tier, members: [who] });
  }
  for (const { tier, members } of cohorts) {
    const up = members.slice(0, promote);
    const down = demote === 0 ? [] : members.slice(-demote).filter((who) => !up.includes(who));
    for (const who of up) tierOfPlayer[who] = Math.min(tiers, tier + 1);
    for (const who of down) tierOfPlayer[who] = Math.max(1, tier - 1);
  }
}
