import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useBackend } from "../../../testing/backend.ts";
import { hasRedis, type RedisServer, startRedis } from "../../../testing/redis.ts";
import { disconnect, setRedisTimeout } from "../../platform/redis.ts";
import { boardOf } from "../board.ts";
import { PageRequest, StandingRequest } from "../contract.ts";
import { defineBoard } from "../define.ts";
import { page } from "../page.ts";
import { BoardSettings } from "../settings.ts";
import { standing } from "../standing.ts";
import { submit } from "../submit.ts";

const PLAYERS = Array.from({ length: 40 }, (_, i) => `player-${i}`);

describe.skipIf(!hasRedis)(`questions to Redis${hasRedis ? "" : " (skipped: redis-server is not installed)"}`, () => {
  const backend = useBackend();
  let server: RedisServer;
  let board = "";

  beforeAll(async () => {
    server = await startRedis();
    setRedisTimeout(10_000);
    process.env.REDIS_URL = server.url;
    await disconnect();
  });
  beforeEach(async () => {
    board = await newBoard("descending");
  });
  afterAll(async () => {
    process.env.REDIS_URL = "";
    await disconnect();
    server.kill();
  });

  async function newBoard(order: "ascending" | "descending"): Promise<string> {
    const id = `board-${randomUUID()}`;
    const settings = {
      title: "A board",
      timeZone: "Etc/UTC",
      order,
      minScore: 0,
      maxScore: 1_000,
      periods: ["allTime"],
    };
    await defineBoard({ uid: "operator" }, { id, board: BoardSettings.parse(settings) });
    await boardOf(id);
    return id;
  }

  const score = (on: string, uid: string, points: number) =>
    submit({ uid, name: uid }, { board: on, score: points, attempt: randomUUID() });

  /** Where somebody stands: the rank, and who is around. */
  async function around(on: string, uid: string, neighbours: number) {
    const request = StandingRequest.parse({ board: on, period: "allTime", neighbours });
    const { rank, of, neighbours: rows } = await standing({ uid }, request);
    return { rank, of, rows: rows.map(({ player, rank: at }) => `${at} ${player}`) };
  }

  test("of the same moment are answered each for itself, whoever asks, of whatever board and with however many neighbours", async () => {
    const other = await newBoard("ascending");
    await Promise.all(PLAYERS.flatMap((uid, i) => [score(board, uid, i), score(other, uid, i)]));
    const asked = [...PLAYERS, "nobody"].flatMap((uid) =>
      [board, other].flatMap((on) => [0, 2].map((reach) => [on, uid, reach] as const)),
    );
    const { result: together, bill } = await backend.billed(() => Promise.all(asked.map((one) => around(...one))));
    const alone: typeof together = [];
    for (const one of asked) alone.push(await around(...one));
    expect(together).toEqual(alone);
    expect(bill.reads).toBe(0);
    expect(alone.slice(0, 4)).toEqual([
      { rank: 40, of: 40, rows: ["40 player-0"] },
      { rank: 40, of: 40, rows: ["38 player-2", "39 player-1", "40 player-0"] },
      { rank: 1, of: 40, rows: ["1 player-0"] },
      { rank: 1, of: 40, rows: ["1 player-0", "2 player-1", "3 player-2"] },
    ]);
    expect(alone.at(-1)).toEqual({ rank: undefined, of: 40, rows: [] });
  });

  test("are answered by Firestore where the id of a player has a line break in it, as it takes two lines", async () => {
    await score(board, "ada", 10);
    await score(board, "bo\nbo", 20);
    await score(board, "cy", 30);
    const { rows } = await page({ uid: "x" }, PageRequest.parse({ board, period: "allTime" }));
    expect(rows.map(({ player, score: points }) => [player, points])).toEqual([
      ["cy", 30],
      ["bo\nbo", 20],
      ["ada", 10],
    ]);
    expect(await around(board, "bo\nbo", 0)).toMatchObject({ rank: 2, rows: ["2 bo\nbo"] });
  });
});
