import { describe, expect, test } from "vitest";
import { someone, useBackend } from "../../../testing/backend.ts";
import { useSeasons } from "../../../testing/seasons.ts";
import { outbox } from "../../platform/outbox.ts";
import { boards, players } from "../records.ts";
import { closeSeasons } from "./close.ts";
import { HistoryRequest, ResultsRequest, SeasonRequest } from "./contract.ts";
import { history, myResults, season as seasonPage } from "./history.ts";

const backend = useBackend();
const { at, closeAt, keptOf, newBoard, resultOf, score, seasonOf } = useSeasons(backend);

const closed = async (board: string) => {
  const events = await outbox().where("type", "==", "season.closed").get();
  return events.docs
    .map((event) => event.data())
    .filter(({ data }) => data.board === board)
    .map(({ data }) => data.season)
    .sort();
};

describe("a season that has ended", () => {
  test("is left alone for three minutes, then closed: pages, results, slots and the event", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"] });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 10);
    await score(bo, board, 20);
    await closeAt("2026-11-21T00:02:59Z");
    expect(await seasonOf(board, "daily-2026-11-20")).toBeUndefined();
    await closeAt("2026-11-21T00:03:00Z");
    expect(await seasonOf(board, "daily-2026-11-20")).toMatchObject({ state: "closed", players: 2, kept: 2, pages: 1 });
    expect(await keptOf(board, "daily-2026-11-20")).toEqual([
      [1, "Bo", 20],
      [2, "Ada", 10],
    ]);
    expect(await resultOf(board, "daily-2026-11-20", ada.uid)).toMatchObject({ rank: 2, score: 10, awards: [] });
    const { closedThrough, nextCloseAt } = (await boards().doc(board).get()).data() ?? {};
    expect(closedThrough?.daily).toBe(Date.parse("2026-11-20T00:00:00Z") / 86_400_000);
    expect(nextCloseAt).toBe(Date.parse("2026-11-22T00:03:00Z"));
    expect(await closed(board)).toEqual(["2026-11-20"]);
  });

  test("has the scores of its side of midnight", async () => {
    at("2026-11-20T23:59:59.999Z");
    const board = await newBoard({ periods: ["daily"] });
    const ada = someone("Ada");
    await score(ada, board, 100);
    at("2026-11-21T00:00:00.000Z");
    await score(ada, board, 40);
    await closeAt("2026-11-22T00:03:00Z");
    await closeAt("2026-11-22T00:13:00Z");
    expect(await keptOf(board, "daily-2026-11-20")).toEqual([[1, "Ada", 100]]);
    expect(await keptOf(board, "daily-2026-11-21")).toEqual([[1, "Ada", 40]]);
  });

  test("still takes what was played in it for as long as its board says, and is closed after that", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"], late: { acceptSeconds: 600 } });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    const playedAt = Date.parse("2026-11-20T23:00:00Z");
    await closeAt("2026-11-21T00:09:59Z");
    await score(ada, board, 7, { playedAt });
    at("2026-11-21T00:10:00Z");
    await expect(score(bo, board, 9, { playedAt })).rejects.toMatchObject({ reason: "too-late" });
    await closeAt("2026-11-21T00:12:59Z");
    expect(await seasonOf(board, "daily-2026-11-20")).toBeUndefined();
    await closeAt("2026-11-21T00:13:00Z");
    expect(await keptOf(board, "daily-2026-11-20")).toEqual([[1, "Ada", 7]]);
  });

  test("is closed although nothing ran for days, and so are those after it, each with its own scores", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily", "weekly"] });
    const ada = someone("Ada");
    await score(ada, board, 1);
    at("2026-11-21T12:00:00Z");
    await score(ada, board, 2);
    at("2026-11-22T12:00:00Z");
    await expect(score(ada, board, 3)).rejects.toMatchObject({ reason: "season-closing" });
    await score(someone("Bo"), board, 5);
    await closeAt("2026-11-25T12:00:00Z");
    expect(await closed(board)).toEqual([
      "2026-11-20",
      "2026-11-21",
      "2026-11-22",
      "2026-11-23",
      "2026-11-24",
      "2026-W47",
    ]);
    expect(await keptOf(board, "daily-2026-11-20")).toEqual([[1, "Ada", 1]]);
    expect(await keptOf(board, "daily-2026-11-21")).toEqual([[1, "Ada", 2]]);
    expect(await keptOf(board, "daily-2026-11-22")).toEqual([[1, "Bo", 5]]);
    expect(await keptOf(board, "weekly-2026-W47")).toEqual([
      [1, "Bo", 5],
      [2, "Ada", 2],
    ]);
    at("2026-11-25T12:00:00Z");
    expect((await score(ada, board, 3)).bests.daily).toMatchObject({ season: "2026-11-25", score: 3 });
  });

  test("is closed by as many tasks as it takes, each of which does a part", async () => {
    at("2026-10-01T12:00:00Z");
    const board = await newBoard({ periods: ["daily"] });
    const before = backend.tasks.length;
    await closeAt("2026-11-01T12:00:00Z");
    expect(await closed(board)).toHaveLength(31);
    expect(backend.tasks.length - before).toBe(3);
    expect((await boards().doc(board).get()).data()?.nextCloseAt).toBe(Date.parse("2026-11-02T00:03:00Z"));
  });

  test("is closed once, however many are at it", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"], keep: 3 });
    const names = ["Ada", "Bo", "Cy", "Di"];
    for (const [i, name] of names.entries()) await score(someone(name), board, i);
    at("2026-11-21T01:00:00Z");
    await Promise.allSettled(Array.from({ length: 5 }, () => closeSeasons(board, "daily")));
    await closeAt("2026-11-21T01:10:00Z");
    expect(await keptOf(board, "daily-2026-11-20")).toEqual([
      [1, "Di", 3],
      [2, "Cy", 2],
      [3, "Bo", 1],
    ]);
    expect(await seasonOf(board, "daily-2026-11-20")).toMatchObject({ state: "closed", players: 4, kept: 3 });
    expect(await closed(board)).toEqual(["2026-11-20"]);
  });

  test("ends by the clocks of the board's zone, on the day that they go back, too", async () => {
    at("2026-10-25T10:00:00Z");
    const board = await newBoard({ periods: ["daily"], timeZone: "Europe/Berlin" });
    await score(someone("Ada"), board, 1);
    await closeAt("2026-10-25T23:02:59Z");
    expect(await seasonOf(board, "daily-2026-10-25")).toBeUndefined();
    await closeAt("2026-10-25T23:03:00Z");
    expect(await seasonOf(board, "daily-2026-10-25")).toMatchObject({ state: "closed" });
  });

  test("goes by the cron of its board, counted on while that stays the same", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["custom"], cron: "0 18 * * 5" });
    await score(someone("Ada"), board, 1);
    await closeAt("2026-11-20T18:03:00Z");
    expect(await keptOf(board, "custom-2026-11-20T12:00Z")).toEqual([[1, "Ada", 1]]);
    await score(someone("Bo"), board, 2);
    await closeAt("2026-11-27T18:03:00Z");
    expect(await keptOf(board, "custom-2026-11-20T18:00Z")).toEqual([[1, "Bo", 2]]);
  });
});

describe("the bill of a season", () => {
  test("is a read and a write for each player, and a few for each hundred", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"] });
    await Promise.all(Array.from({ length: 250 }, (_, i) => score(someone(`P${i}`), board, i)));
    at("2026-11-21T01:00:00Z");
    const { bill } = await backend.billed(() => closeSeasons(board, "daily"));
    // The players; counting, beginning and looking for more; the four steps, and the board in the last of them.
    expect(bill.reads).toBe(250 + 1 + 2 + 1 + 4 + 1);
    // Their results; beginning; three pages; the four steps, and in the last the board and the event.
    expect(bill.writes).toBe(250 + 1 + 3 + 4 + 2);
    const kept = await keptOf(board, "daily-2026-11-20");
    expect(kept.map(([rank, name]) => [rank, name])).toEqual(
      Array.from({ length: 250 }, (_, i) => [i + 1, `P${249 - i}`]),
    );
  });

  test("of one that nobody has played is the same few", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["daily"] });
    at("2026-11-21T01:00:00Z");
    const { bill } = await backend.billed(() => closeSeasons(board, "daily"));
    expect(bill.reads).toBeLessThanOrEqual(12);
    expect(bill.writes).toBeLessThanOrEqual(6);
  });
});

describe("a rolling period", () => {
  test("loses what is too old when a day begins, without anybody playing, and changes nothing else", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["rolling"], rollingDays: 3, policy: "sum" });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    await score(ada, board, 10);
    await score(bo, board, 5);
    at("2026-11-22T12:00:00Z");
    await score(ada, board, 1);
    const standsAt = async (player: string) => (await players(board).doc(player).get()).data()?.r0?.score;
    await closeAt("2026-11-22T12:10:00Z");
    expect([await standsAt(ada.uid), await standsAt(bo.uid)]).toEqual([11, 5]);
    await closeAt("2026-11-23T00:00:00Z");
    expect([await standsAt(ada.uid), await standsAt(bo.uid)]).toEqual([1, undefined]);
    await closeAt("2026-11-25T00:00:00Z");
    expect([await standsAt(ada.uid), await standsAt(bo.uid)]).toEqual([undefined, undefined]);
    expect((await players(board).where("agesOn", ">", "").get()).size).toBe(0);
  });

  test("bills nothing for who has nothing that is too old", async () => {
    at("2026-11-20T12:00:00Z");
    const board = await newBoard({ periods: ["rolling"], rollingDays: 3, policy: "sum" });
    await Promise.all(Array.from({ length: 30 }, (_, i) => score(someone(), board, i)));
    const { bill } = await backend.billed(() => closeAt("2026-11-21T00:00:00Z"));
    expect(bill.reads).toBeLessThanOrEqual(12);
    expect(bill.writes).toBe(1);
  });
});

describe("what was", () => {
  test("is there by season, by page and by player, each a read", async () => {
    at("2026-11-18T12:00:00Z");
    const board = await newBoard({ periods: ["daily", "weekly"] });
    const [ada, bo] = [someone("Ada"), someone("Bo")];
    for (const [day, points] of [
      ["18", 5],
      ["19", 3],
      ["20", 4],
      ["21", 1],
      ["22", 2],
    ] as const) {
      at(`2026-11-${day}T12:00:00Z`);
      await score(ada, board, points);
      if (day === "20") await score(bo, board, 9);
      await closeAt(`2026-11-${Number(day) + 1}T00:03:00Z`);
    }
    const named = async (request: object) => {
      const { seasons, nextCursor } = await history(ada, HistoryRequest.parse({ board, ...request }));
      return { names: seasons.map(({ season }) => season), nextCursor };
    };
    const first = await named({ limit: 4 });
    const second = await named({ limit: 4, cursor: first.nextCursor });
    expect([...first.names, ...second.names]).toEqual([
      "2026-W47",
      ...["22", "21", "20", "19", "18"].map((day) => `2026-11-${day}`),
    ]);
    expect(second.nextCursor).toBeUndefined();
    expect((await named({ period: "weekly" })).names).toEqual(["2026-W47"]);

    const wanted = SeasonRequest.parse({ board, period: "daily", season: "2026-11-20" });
    const page = await backend.billed(() => seasonPage(bo, wanted));
    expect(page.result.rows.map(({ rank, name }) => [rank, name])).toEqual([
      [1, "Bo"],
      [2, "Ada"],
    ]);
    expect(page.result.nextPage).toBeUndefined();
    expect(page.bill.reads).toBe(1);
    expect((await backend.billed(() => seasonPage(ada, wanted))).bill.reads).toBe(0);
    expect(await seasonPage(ada, { ...wanted, season: "2026-11-01" })).toEqual({ rows: [] });

    const mine = await backend.billed(() => myResults(ada, ResultsRequest.parse({ board, limit: 4 })));
    expect(mine.bill.reads).toBe(4);
    const { results: rest } = await myResults(ada, ResultsRequest.parse({ board, cursor: mine.result.nextCursor }));
    expect([...mine.result.results, ...rest].map(({ season, rank, score: points }) => [season, rank, points])).toEqual([
      ["2026-W47", 2, 5],
      ["2026-11-22", 1, 2],
      ["2026-11-21", 1, 1],
      ["2026-11-20", 2, 4],
      ["2026-11-19", 1, 3],
      ["2026-11-18", 1, 5],
    ]);
  });
});
