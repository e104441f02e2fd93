import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type * as z from "zod";
import { someone, useBackend } from "../../testing/backend.ts";
import { setClock } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { NO_ATTEMPTS, REMEMBERED_ATTEMPTS, submittedIn } from "./attempts.ts";
import { DefineBoard, PageRequest, StandingRequest, SubmitRequest } from "./contract.ts";
import { defineBoard } from "./define.ts";
import { forgetPlayers } from "./memory.ts";
import { page as pageOf } from "./page.ts";
import { boards, players } from "./records.ts";
import { Board, BoardSettings } from "./settings.ts";
import { standing as standingOf } from "./standing.ts";
import { submit as submitTo } from "./submit.ts";

const backend = useBackend();
const NOON = Date.parse("2026-11-20T12:00:00Z");
let restore = () => {};

beforeAll(() => {
  restore = setClock(NOON);
});
afterEach(() => {
  restore();
  restore = setClock(NOON);
});

const page = (caller: Caller, request: z.input<typeof PageRequest>) => pageOf(caller, PageRequest.parse(request));
const standing = (caller: Caller, request: z.input<typeof StandingRequest>) =>
  standingOf(caller, StandingRequest.parse(request));
const submit = (caller: Caller, request: z.input<typeof SubmitRequest>) =>
  submitTo(caller, SubmitRequest.parse(request));

async function newBoard(): Promise<string> {
  const board = `board-${randomUUID()}`;
  await boards()
    .doc(board)
    .set(Board.parse({ title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000_000 }));
  return board;
}

const score = (player: Caller, board: string, points: number, attempt: string = randomUUID()) =>
  submit(player, { board, score: points, attempt });
const top = async (board: string, period: "daily" | "weekly" | "monthly" | "allTime" = "daily") =>
  (await page(someone(), { board, period })).rows.map(({ rank, name, score: points }) => [rank, name, points]);

describe("a score", () => {
  test("counts for the day, the week, the month and for ever", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    expect(await score(ada, board, 100)).toEqual({
      bests: {
        daily: { season: "2026-11-20", score: 100, improved: true },
        weekly: { season: "2026-W47", score: 100, improved: true },
        monthly: { season: "2026-11", score: 100, improved: true },
        allTime: { season: "all", score: 100, improved: true },
      },
      repeated: false,
      inReview: false,
    });
    for (const period of ["daily", "weekly", "monthly", "allTime"] as const)
      expect(await top(board, period)).toEqual([[1, "Ada", 100]]);
  });

  test("costs one read and one write for all four periods, no read for who was here just now, and no write if it is no better", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    await score(ada, board, 50);
    forgetPlayers();
    expect((await backend.billed(() => score(ada, board, 100))).bill).toEqual({ reads: 1, writes: 1, deletes: 0 });
    expect((await backend.billed(() => score(ada, board, 120))).bill).toEqual({ reads: 0, writes: 1, deletes: 0 });
    forgetPlayers();
    expect((await backend.billed(() => score(ada, board, 70))).bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    expect((await backend.billed(() => score(someone("Bo"), board, 1))).bill).toEqual({
      // A profile, which Bo does not have, is two documents.
      reads: 1 + 2,
      writes: 1,
      deletes: 0,
    });
  });

  test("is not measured by what an instance remembers of a player who has withdrawn elsewhere", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    await score(ada, board, 100);
    // As another instance does it.
    await players(board).doc(ada.uid).delete();
    expect((await score(ada, board, 60)).bests.daily).toEqual({ season: "2026-11-20", score: 60, improved: true });
  });

  test("that is worse than the player's best changes nothing", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    await score(ada, board, 100);
    expect((await score(ada, board, 60)).bests.daily).toEqual({ season: "2026-11-20", score: 100, improved: false });
    expect(await top(board)).toEqual([[1, "Ada", 100]]);
  });

  test("sent again under the same attempt is recognised, and with another score refused", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    const attempt = randomUUID();
    await score(ada, board, 100, attempt);
    forgetPlayers();
    const again = await backend.billed(() => score(ada, board, 100, attempt));
    expect(again.result).toMatchObject({ repeated: true, bests: { daily: { score: 100, improved: false } } });
    expect(again.bill).toEqual({ reads: 1, writes: 0, deletes: 0 });
    await expect(score(ada, board, 999, attempt)).rejects.toMatchObject({ reason: "attempt-reused" });
  });

  test("a second after midnight does not touch the day that has just ended", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    restore();
    restore = setClock(Date.parse("2026-11-20T23:59:59Z"));
    await score(ada, board, 100);
    restore();
    restore = setClock(Date.parse("2026-11-21T00:00:01Z"));
    const next = await score(ada, board, 40);
    expect(next.bests.daily).toEqual({ season: "2026-11-21", score: 40, improved: true });
    expect(next.bests.allTime).toEqual({ season: "all", score: 100, improved: false });
    const record = (await players(board).doc(ada.uid).get()).data();
    expect([record?.d0, record?.d1].map((slot) => [slot?.season, slot?.score]).sort()).toEqual([
      ["2026-11-20", 100],
      ["2026-11-21", 40],
    ]);
    expect(await top(board)).toEqual([[1, "Ada", 40]]);
  });

  test("remembers as many attempts as it promises", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    for (let i = 0; i < REMEMBERED_ATTEMPTS + 3; i++) await score(ada, board, i, `attempt-${i}`);
    const attempts = (await players(board).doc(ada.uid).get()).data()?.attempts ?? NO_ATTEMPTS;
    expect([2, 3].map((i) => submittedIn(attempts, `attempt-${i}`))).toEqual([undefined, "3||"]);
  });

  test.each([[-1], [1_000_001]])("of %i is out of the board's bounds", async (points) => {
    const board = await newBoard();
    await expect(score(someone(), board, points)).rejects.toMatchObject({
      reason: "score-out-of-bounds",
      details: { field: "score" },
    });
  });

  test("is shown with the name and the picture of the sign-in provider, within bounds", async () => {
    const board = await newBoard();
    const shown = async (name: string, picture: string) => {
      const player = { ...someone(name), picture };
      await score(player, board, 1);
      const { name: kept, picture: keptPicture } = (await players(board).doc(player.uid).get()).data() ?? {};
      return [kept, keptPicture];
    };
    const url = "https://example.com/ada.png";
    expect(await shown("Ada", url)).toEqual(["Ada", url]);
    expect(await shown("🦊".repeat(60), url)).toEqual(["🦊".repeat(50), url]);
    for (const picture of [
      "javascript:alert(1)",
      "http://example.com/a.png",
      `https://e.com/${"x".repeat(3_000)}`,
      "https://",
    ]) {
      expect(await shown("Ada", picture)).toEqual(["Ada", undefined]);
    }
  });

  test("on a board that there is not is refused", async () => {
    await expect(score(someone(), "nowhere", 1)).rejects.toMatchObject({ code: "not-found", reason: "unknown-board" });
  });
});

describe("an operator", () => {
  test("makes a board, and what it accepts from then on counts at once", async () => {
    const id = `board-${randomUUID()}`;
    const board = BoardSettings.parse({ title: "Cup", timeZone: "Asia/Tokyo", minScore: -10, maxScore: 10 });
    await defineBoard(someone(), { id, board });
    await expect(score(someone(), id, 11)).rejects.toMatchObject({ reason: "score-out-of-bounds" });
    await defineBoard(someone(), { id, board: { ...board, maxScore: 20 } });
    expect((await score(someone(), id, 11)).bests.allTime).toMatchObject({ score: 11, improved: true });
    expect((await score(someone(), id, -10)).bests.allTime).toMatchObject({ score: -10 });
    expect((await page(someone(), { board: id, period: "allTime" })).rows.map((row) => row.score)).toEqual([11, -10]);
  });

  test("cannot change what scores are sorted by", async () => {
    const id = `board-${randomUUID()}`;
    const settings = { title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10 };
    const define = (more: object) =>
      defineBoard(someone(), { id, board: BoardSettings.parse({ ...settings, ...more }) });
    await define({});
    for (const [field, more] of [
      ["board.order", { order: "ascending" }],
      ["board.subscore", { subscore: "descending" }],
      ["board.policy", { policy: "sum" }],
    ] as const) {
      await expect(define(more)).rejects.toMatchObject({ reason: "board-fixed", details: { field } });
    }
  });

  test.each([
    ["board.timeZone", { timeZone: "Mars/Olympus" }],
    ["board.maxScore", { minScore: 5, maxScore: 4 }],
    ["board.minScore", { minScore: 0.5 }],
    ["board.title", { title: "" }],
    ["board.subscore", { maxSubscore: 5 }],
    ["board.minSubscore", { subscore: "ascending", minSubscore: 1 }],
  ])("is told that %s is wrong", (field, wrong) => {
    const board = { title: "Cup", timeZone: "Etc/UTC", minScore: 0, maxScore: 10, ...wrong };
    const parsed = DefineBoard.safeParse({ id: "cup", board });
    expect(parsed.error?.issues.map(({ path }) => path.join("."))).toEqual([field]);
  });
});

describe("a board of 250 players", () => {
  const field: { player: Caller; points: number; at: number }[] = [];
  let board = "";

  beforeAll(async () => {
    board = await newBoard();
    for (let i = 0; i < 250; i++) field.push({ player: someone(`P${i}`), points: (i * 37) % 60, at: NOON + i });
    for (let from = 0; from < field.length; from += 25) {
      for (const { player, points, at } of field.slice(from, from + 25)) {
        const reset = setClock(at);
        await score(player, board, points);
        reset();
      }
    }
    field.sort((a, b) => b.points - a.points || a.at - b.at);
  });

  test("is shown a hundred a page, each player once and with the right rank", async () => {
    const seen: [number, string][] = [];
    let cursor: string | undefined;
    const sizes: number[] = [];
    do {
      const shown = await page(someone(), { board, period: "weekly", ...(cursor ? { cursor } : {}) });
      sizes.push(shown.rows.length);
      seen.push(...shown.rows.map(({ rank, name }): [number, string] => [rank, name]));
      cursor = shown.nextCursor;
    } while (cursor);
    expect(sizes).toEqual([100, 100, 50]);
    expect(seen).toEqual(field.map(({ player }, i) => [i + 1, player.name]));
  });

  test("tells every player their exact rank and neighbours", async () => {
    for (const place of [0, 1, 2, 77, 130, 248, 249]) {
      const { player, points } = field[place] as (typeof field)[number];
      const stands = await standing(player, { board, period: "daily", neighbours: 2 });
      expect(stands).toMatchObject({ rank: place + 1, of: 250, score: points });
      const around = field
        .slice(Math.max(0, place - 2), place + 3)
        .map((other) => [field.indexOf(other) + 1, other.player.name]);
      expect(stands.neighbours.map(({ rank, name }) => [rank, name])).toEqual(around);
    }
  });

  test("bills a read for each row, and for a rank one for each thousand players", async () => {
    expect((await backend.billed(() => page(someone(), { board, period: "daily" }))).bill.reads).toBe(100);
    const { player } = field[120] as (typeof field)[number];
    const { bill } = await backend.billed(() => standing(player, { board, period: "daily", neighbours: 2 }));
    expect(bill).toEqual({ reads: 1 + 1 + 1 + 4, writes: 0, deletes: 0 });
  });

  test("tells who has not played how many have", async () => {
    expect(await standing(someone(), { board, period: "daily", neighbours: 2 })).toEqual({
      season: "2026-11-20",
      of: 250,
      bests: {},
      neighbours: [],
    });
  });

  test("refuses cursors that it has not given, and those of other periods and seasons", async () => {
    const daily = await page(someone(), { board, period: "daily" });
    await expect(page(someone(), { board, period: "weekly", cursor: daily.nextCursor ?? "" })).rejects.toMatchObject({
      details: { field: "cursor" },
    });
    const spliced = {
      ...JSON.parse(Buffer.from(daily.nextCursor ?? "", "base64url").toString()),
      season: "2020-01-01",
    };
    for (const cursor of [
      Buffer.from(JSON.stringify(spliced)).toString("base64url"),
      "x",
      Buffer.from("{}").toString("base64url"),
      Buffer.from('{"slot":"name"}').toString("base64url"),
    ]) {
      await expect(page(someone(), { board, period: "daily", cursor })).rejects.toMatchObject({
        details: { field: "cursor" },
      });
    }
  });
});
