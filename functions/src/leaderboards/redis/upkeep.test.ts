import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { useBackend } from "../../../testing/backend.ts";
import { hasRedis, type RedisServer, startRedis } from "../../../testing/redis.ts";
import { setClock } from "../../platform/clock.ts";
import { disconnect, runScript, setRedisTimeout } from "../../platform/redis.ts";
import { boardOf } from "../board.ts";
import { PageRequest, StandingRequest } from "../contract.ts";
import { defineBoard } from "../define.ts";
import { page } from "../page.ts";
import { seasonAt } from "../periods.ts";
import { players } from "../records.ts";
import { BoardSettings } from "../settings.ts";
import { standing } from "../standing.ts";
import { submit } from "../submit.ts";
import { withdraw } from "../withdraw.ts";
import { announce } from "./follow.ts";
import { UPDATE } from "./scripts.ts";
import { scriptKeys } from "./seasons.ts";
import { keepUp, runBoardTask } from "./upkeep.ts";

const BEGIN = Date.parse("2026-11-20T10:00:00Z");
const HOUR = 3_600_000;
const NOWHERE = "redis://127.0.0.1:1";

describe.skipIf(!hasRedis)(`Redis behind a board${hasRedis ? "" : " (skipped: redis-server is not installed)"}`, () => {
  const backend = useBackend();
  let server: RedisServer;
  let client: Redis;
  let time = BEGIN;
  let restore = () => {};
  let board = "";

  beforeAll(async () => {
    server = await startRedis();
    setRedisTimeout(10_000);
    client = new Redis(server.port);
  });
  beforeEach(async () => {
    time += HOUR;
    restore = setClock(() => time);
    await client.flushall();
    await use(server.url);
    board = await newBoard();
  });
  afterEach(async () => {
    restore();
    await use("");
  });
  afterAll(() => {
    client.disconnect();
    server.kill();
  });

  /** Connects this instance with another Redis, or with none. */
  async function use(url: string): Promise<void> {
    process.env.REDIS_URL = url;
    await disconnect();
  }

  async function newBoard(): Promise<string> {
    const id = `board-${randomUUID()}`;
    const settings = {
      title: "A board",
      timeZone: "Etc/UTC",
      minScore: 0,
      maxScore: 1_000,
      periods: ["allTime", "daily"],
    };
    await defineBoard({ uid: "operator" }, { id, board: BoardSettings.parse(settings) });
    await boardOf(id);
    return id;
  }

  const score = async (uid: string, points: number) => {
    time++;
    await submit({ uid, name: uid }, { board, score: points, attempt: randomUUID() });
  };

  /** Who is on the first page, and what it is billed. */
  async function top(period: "allTime" | "daily" = "allTime") {
    const { result, bill } = await backend.billed(() => page({ uid: "x" }, PageRequest.parse({ board, period })));
    return { rows: result.rows.map(({ player, score: points }) => `${player} ${points}`), reads: bill.reads };
  }

  async function runTasks(from: number): Promise<void> {
    for (let i = from; i < backend.tasks.length; i++) await runBoardTask(backend.tasks[i]?.data);
  }

  const keys = (period: "allTime" | "daily" = "allTime") =>
    boardOf(board).then((settings) =>
      scriptKeys(board, settings, { period, season: seasonAt(period, time, settings).key }),
    );

  test("answers for a new board at once, and for those who have just played", async () => {
    expect(await top()).toEqual({ rows: [], reads: 0 });
    await score("ada", 10);
    await score("bo", 20);
    expect(await top()).toEqual({ rows: ["bo 20", "ada 10"], reads: 0 });
  });

  test("adds neither reads nor writes to a submission", async () => {
    await score("ada", 10);
    // Who is new has a profile, perhaps: two documents.
    expect((await backend.billed(() => score("bo", 20))).bill).toEqual({ reads: 1 + 2, writes: 1, deletes: 0 });
    expect((await backend.billed(() => withdraw({ uid: "bo" }, { board }))).bill).toEqual({
      reads: 1,
      writes: 0,
      deletes: 1,
    });
    expect(await top()).toEqual({ rows: ["ada 10"], reads: 0 });
  });

  test("goes on into the next season without being built, and drops the one that is over after two days", async () => {
    await score("ada", 10);
    const over = await keys("daily");
    for (const key of over) expect(await client.pttl(key)).toBeLessThanOrEqual(Date.parse("2026-11-23") - time + 1_000);
    for (const key of over) expect(await client.pttl(key)).toBeGreaterThan(Date.parse("2026-11-22") - time);
    time += 24 * HOUR;
    await score("bo", 20);
    expect(await top("daily")).toEqual({ rows: ["bo 20"], reads: 0 });
    expect(backend.tasks.filter(({ name }) => name.includes(board))).toEqual([]);
    time -= 24 * HOUR;
  });

  test("that an instance could not reach hears of its scores by a task", async () => {
    await score("ada", 10);
    const from = backend.tasks.length;
    await use(NOWHERE);
    await score("ada", 30);
    await score("bo", 20);
    expect(await top()).toEqual({ rows: ["ada 30", "bo 20"], reads: 2 });
    expect(backend.tasks.slice(from).map(({ data }) => (data as { kind: string }).kind)).toEqual(["mend", "mend"]);
    await expect(runTasks(from)).rejects.toThrow("Redis does not answer");
    await use(server.url);
    await runTasks(from);
    expect(await top()).toEqual({ rows: ["ada 30", "bo 20"], reads: 0 });
  });

  test("hears within ten minutes of what an instance wrote that died before it could say so", async () => {
    await score("ada", 10);
    await announce(board, ["ada", "bo"]).told;
    await use("");
    await score("ada", 30);
    await score("bo", 20);
    await withdraw({ uid: "bo" }, { board });
    await use(server.url);
    expect((await top()).rows).toEqual(["ada 10"]);
    time += 10 * 60_000;
    await keepUp();
    expect(await top()).toEqual({ rows: ["ada 30"], reads: 0 });
  });

  test("takes nothing that is older than what it has, in whatever order it comes", async () => {
    const seen: string[] = [];
    const [, hash] = await keys();
    const late = async () => {
      for (const packed of seen) await runScript(client, UPDATE, await keys(), ["", "", time, "ada", packed]);
    };
    for (const points of [10, 30]) {
      await score("ada", points);
      seen.unshift((await client.hget(hash, "ada")) ?? "");
      await late();
      expect(await top()).toEqual({ rows: [`ada ${points}`], reads: 0 });
    }
    await withdraw({ uid: "ada" }, { board });
    await late();
    expect(await top()).toEqual({ rows: [], reads: 0 });
    await score("ada", 5);
    await late();
    expect(await top()).toEqual({ rows: ["ada 5"], reads: 0 });
  });

  test.each(["state", "players", "ranked"])(
    "that has lost its %s is not believed, and is built anew",
    async (which) => {
      await score("ada", 10);
      await score("bo", 20);
      const lost = (await keys())[["state", "players", "ranked"].indexOf(which)] ?? "";
      const from = backend.tasks.length;
      await client.del(lost);
      expect(await top()).toEqual({ rows: ["bo 20", "ada 10"], reads: 2 });
      expect(await top("daily")).toEqual({ rows: ["bo 20", "ada 10"], reads: 0 });
      const { bill } = await backend.billed(() => runTasks(from));
      expect(bill).toEqual({ reads: 2, writes: 0, deletes: 0 });
      expect(await top()).toEqual({ rows: ["bo 20", "ada 10"], reads: 0 });
    },
  );

  test("that is wiped while it is built is built from the beginning", async () => {
    await score("ada", 10);
    await client.flushall();
    await top();
    const from = backend.tasks.length - 1;
    // The first task has begun, and its work is lost with what it has marked.
    backend.onTask = async () => undefined;
    await runBoardTask(backend.tasks[from]?.data);
    const [state] = await keys();
    const generation = await client.hget(state, "ready");
    await client.flushall();
    await runBoardTask({
      ...(backend.tasks[from]?.data as object),
      step: 1,
      seasons: [{ period: "allTime", season: "all" }],
    });
    await score("bo", 20);
    await runTasks(from + 1);
    expect(await client.hget(state, "ready")).toBe(`${generation}-r1`);
    expect(await top()).toEqual({ rows: ["bo 20", "ada 10"], reads: 0 });
  });

  test("is compared with Firestore once an hour; what differs is repaired", async () => {
    for (const [i, uid] of ["ada", "bo", "cy"].entries()) await score(uid, 10 + i);
    const [state, hash, set] = await keys();
    // As if a write had never reached Redis, one had never been taken back, and one had been spoiled.
    const packed = (await client.hget(hash, "ada")) ?? "";
    await client.hdel(hash, "ada");
    await client.zrem(set, (await client.zrange(set, 0, "-1")).find((member) => member.endsWith("ada")) ?? "");
    await client.hset(hash, "di", packed);
    await client.zadd(set, "-99", `${packed.slice(11, 18)}di`);
    await client.hset(
      hash,
      "bo",
      ((await client.hget(hash, "bo")) ?? "").replace("|-11|", "|-11|DE").replace("|DE|", "|-77|"),
    );
    expect(await client.hget(state, "ready")).not.toBeNull();
    expect((await top()).rows).not.toEqual(["cy 12", "bo 11", "ada 10"]);
    for (let i = 0; i < 6; i++) {
      await keepUp();
      time += 10 * 60_000;
    }
    expect(await top()).toEqual({ rows: ["cy 12", "bo 11", "ada 10"], reads: 0 });
  });

  test("much of which is wrong is built anew", async () => {
    for (let i = 0; i < 8; i++) await score(`player-${i}`, i);
    const [, hash] = await keys();
    for (let i = 0; i < 8; i++) {
      const packed = (await client.hget(hash, `player-${i}`)) ?? "";
      await client.hset(hash, `player-${i}`, packed.replace('"player', '"somebody'));
    }
    const from = backend.tasks.length;
    for (let i = 0; i < 6; i++) {
      await keepUp();
      time += 10 * 60_000;
    }
    expect(backend.tasks.slice(from).map(({ data }) => data)).toMatchObject([{ kind: "rebuild", board, again: true }]);
    await runTasks(from);
    const { result } = await backend.billed(() => page({ uid: "x" }, PageRequest.parse({ board, period: "allTime" })));
    expect(result.rows.map(({ name }) => name)).toEqual([7, 6, 5, 4, 3, 2, 1, 0].map((i) => `player-${i}`));
  });

  test("of one period gone, the other answers, and a standing costs one read for what the player has in it", async () => {
    await score("ada", 10);
    await client.del((await keys("daily"))[0]);
    const ask = () => standing({ uid: "ada" }, StandingRequest.parse({ board, period: "allTime" }));
    const { result, bill } = await backend.billed(ask);
    expect(result).toMatchObject({ rank: 1, of: 1, bests: { daily: { score: 10 }, allTime: { score: 10 } } });
    expect(bill.reads).toBe(1);
    expect((await players(board).doc("ada").get()).exists).toBe(true);
  });
});
