import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { someone, useBackend } from "../../testing/backend.ts";
import { hasRedis, type RedisServer, startRedis } from "../../testing/redis.ts";
import { forgetAll } from "../platform/cache.ts";
import { setClock } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { disconnect } from "../platform/redis.ts";
import { Page, PageRequest, StandingRequest, SubmitRequest } from "./contract.ts";
import { api } from "./endpoint.ts";
import { page } from "./page.ts";
import { boards } from "./records.ts";
import { Board } from "./settings.ts";
import { shownPage } from "./shown.ts";
import { standing } from "./standing.ts";
import { submit } from "./submit.ts";

const backend = useBackend();
const NOON = Date.parse("2026-11-20T12:00:00Z");
const NOTHING = { reads: 0, writes: 0, deletes: 0 };
/** How long a page is as it was, and a little more. */
const OLD_MILLIS = 1_050;
let time = NOON;
let restore = () => {};

beforeEach(() => {
  time = NOON;
  restore = setClock(() => time);
  process.env.REDIS_URL = "";
  forgetAll();
});
afterEach(() => restore());

async function newBoard(settings: object = {}): Promise<string> {
  const board = `board-${randomUUID()}`;
  const given = { title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000, ...settings };
  await boards().doc(board).set(Board.parse(given));
  return board;
}

const score = (player: Caller, board: string, points: number) =>
  submit(player, SubmitRequest.parse({ board, score: points, attempt: randomUUID() }));
const shown = async (board: string, more: object = {}) =>
  Page.parse((await shownPage(someone(), PageRequest.parse({ board, period: "daily", ...more }))).value());
const scores = async (board: string) => (await shown(board)).rows.map((row) => row.score);

describe("a page", () => {
  test("costs a read for each row once a second, and nothing for all who ask in between", async () => {
    const board = await newBoard();
    for (let i = 0; i < 3; i++) await score(someone(), board, i);
    await shown(board);
    await sleep(OLD_MILLIS);
    const crowd = () => Promise.all(Array.from({ length: 50 }, () => shown(board)));
    expect((await backend.billed(crowd)).bill).toEqual({ ...NOTHING, reads: 3 });
    expect((await backend.billed(crowd)).bill).toEqual(NOTHING);
  });

  test("shows a score after a second, and its player's standing shows it at once", async () => {
    const board = await newBoard();
    const ada = someone("Ada");
    await score(ada, board, 1);
    expect(await scores(board)).toEqual([1]);
    await score(ada, board, 500);
    expect(await standing(ada, StandingRequest.parse({ board, period: "daily" }))).toMatchObject({
      rank: 1,
      score: 500,
    });
    await sleep(OLD_MILLIS);
    expect(await scores(board)).toEqual([500]);
  });

  test("of one season is not shown in the next", async () => {
    const board = await newBoard();
    await score(someone(), board, 1);
    expect(await scores(board)).toEqual([1]);
    time = Date.parse("2026-11-21T00:00:01Z");
    expect(await shown(board)).toEqual({ season: "2026-11-21", rows: [] });
  });

  test("is of its board, period, scope and cursor alone", async () => {
    const board = await newBoard({ pageSize: 1, scopes: ["country"] });
    await score(someone(), board, 1);
    await score(someone(), board, 2);
    const first = await shown(board);
    expect(first.rows.map((row) => row.score)).toEqual([2]);
    expect((await shown(board, { cursor: first.nextCursor })).rows.map((row) => row.score)).toEqual([1]);
    expect((await shown(board, { scope: { kind: "country", id: "DE" } })).rows).toEqual([]);
    expect((await shown(board, { period: "weekly" })).season).toBe("2026-W47");
    expect((await shown(await newBoard())).rows).toEqual([]);
  });

  test("is answered by the action as the contract has it", async () => {
    const board = await newBoard();
    await score(someone("Ada"), board, 7);
    const answer = await api.page.run(someone(), PageRequest.parse({ board, period: "daily" }));
    expect(answer).toMatchObject({ byteLength: expect.any(Number) });
    expect(await shown(board)).toMatchObject({ rows: [{ rank: 1, name: "Ada", score: 7 }] });
  });
});

describe.skipIf(!hasRedis)(`Redis${hasRedis ? "" : " (skipped: redis-server is not installed)"}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => {
    process.env.REDIS_URL = server.url;
  });
  afterEach(disconnect);
  afterAll(() => server.kill());

  test("spares other instances the reads of a page", async () => {
    const board = await newBoard();
    for (let i = 0; i < 3; i++) await score(someone(), board, i);
    expect((await backend.billed(() => shown(board))).bill.reads).toBe(3);
    forgetAll();
    const other = await backend.billed(() => shown(board));
    expect(other.bill).toEqual(NOTHING);
    expect(other.result.rows.map((row) => row.score)).toEqual([2, 1, 0]);
  });

  test("stands in nobody's way who wants a page as it is now", async () => {
    const board = await newBoard();
    expect(await scores(board)).toEqual([]);
    await score(someone(), board, 1);
    const { rows } = await page(someone(), PageRequest.parse({ board, period: "daily" }));
    expect(rows.map((row) => row.score)).toEqual([1]);
  });

  test("keeps the pages of seasons that are over", async () => {
    const board = await newBoard({ pageSize: 2 });
    for (let i = 0; i < 3; i++) await score(someone(), board, i);
    const { nextCursor } = await shown(board);
    time = Date.parse("2026-11-21T00:00:01Z");
    const turn = () => backend.billed(() => shown(board, { cursor: nextCursor }));
    expect((await turn()).result).toMatchObject({ season: "2026-11-20", rows: [{ rank: 3, score: 0 }] });
    forgetAll();
    expect((await turn()).bill).toEqual(NOTHING);
  });
});
