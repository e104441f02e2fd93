import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { defineBoard } from "../src/leaderboards/define.ts";
import { BoardSettings } from "../src/leaderboards/settings.ts";
import { setClock } from "../src/platform/clock.ts";
import type { Reason } from "../src/platform/failure.ts";
import { disconnect, setRedisTimeout } from "../src/platform/redis.ts";
import { services } from "../src/services.ts";
import { type Backend, someone } from "./backend.ts";
import { dumpOfRedis, versionsIn } from "./dump.ts";
import { starts } from "./games.ts";
import { hasRedis, type RedisServer, startRedis } from "./redis.ts";
import { type Answered, useWire } from "./wire.ts";

/** For tests: submissions to boards that are refused, sent over the wire, with nothing changed by them. */

export const NOON = Date.parse("2026-11-20T12:00:00Z");
const MINUTE = 60_000;
const REDIS_TIMEOUT_MILLIS = 10_000;

/** A request's fields as they are in its JSON; undefined: left out. */
export type Fields = Readonly<Record<string, string | undefined>>;

/** A board on which Ada has played once, as `first-attempt`. */
export interface Scene {
  readonly board: string;
  readonly ada: string;
}

export interface Refused {
  readonly reason: Reason;
  /** What of the request is to blame. */
  readonly field?: string;
  /** Of the board. */
  readonly settings?: object;
  /** What is sent instead of an honest score of 50; and what happens before. */
  readonly fields: Fields | ((scene: Scene) => Promise<Fields>);
  /** Whether Ada has not played. */
  readonly isNew?: boolean;
}

export async function newBoard(settings: object = {}): Promise<string> {
  const id = `board-${randomUUID()}`;
  const board = BoardSettings.parse({
    ...{ title: "A board", timeZone: "Etc/UTC", minScore: 0, maxScore: 1_000, periods: ["daily", "allTime"] },
    ...settings,
  });
  await defineBoard(someone(), { id, board });
  return id;
}

export const honest = (board: string, more: Fields = {}): Fields => ({
  board: JSON.stringify(board),
  score: "50",
  attempt: JSON.stringify(randomUUID()),
  ...more,
});

function textOf(fields: Fields): string {
  const parts = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${value}`]));
  return `{"data":{${parts.join(",")}}}`;
}

export function isRatio(settings: object = {}): boolean {
  return "policy" in settings && settings.policy === "ratio";
}

export interface Refusals {
  /** The time, in milliseconds since the epoch; noon at the beginning of each test. */
  readonly clock: { time: number };
  readonly port: number;
  /** Calls an action of leaderboards. */
  call(name: string, fields: Fields, uid?: string): Promise<Answered>;
  /** Makes a test of each. */
  testAll(cases: Readonly<Record<string, Refused>>): void;
  /** That something is refused, and what there is is the same before and after. */
  expectRefused(of: { board: string; fields: Fields; uid?: string | undefined }, expected: Expected): Promise<void>;
  /** That something changes nothing of a board. */
  expectUnchanged(board: string, act: () => Promise<void>): Promise<void>;
}

type Expected = Pick<Refused, "reason" | "field">;

/** To be called after `useBackend`. */
export function useRefusals(backend: Backend): Refusals {
  const wire = useWire("api", services.api);
  const clock = { time: NOON };
  let restore = () => {};
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    redis = hasRedis ? await startRedis() : undefined;
    process.env.REDIS_URL = redis?.url ?? "";
    // A machine that is busy is no Redis that is gone.
    setRedisTimeout(REDIS_TIMEOUT_MILLIS);
  });
  beforeEach(() => {
    clock.time = NOON;
    restore = setClock(() => clock.time);
  });
  afterEach(() => restore());
  afterAll(async () => {
    process.env.REDIS_URL = "";
    await disconnect();
    redis?.kill();
  });

  const call: Refusals["call"] = (name, fields, uid) => wire.send(`leaderboards/${name}`, textOf(fields), uid);
  const everything = async (board: string) => ({
    documents: await versionsIn([
      ...["players", "pending", "seasons"].map((name) => `leaderboards/${board}/${name}`),
      ...["games", "reviews"],
    ]),
    redis: hasRedis ? await dumpOfRedis(`lb:{${board}`) : {},
    tasks: backend.tasks.length,
  });

  const expectUnchanged: Refusals["expectUnchanged"] = async (board, act) => {
    const before = await everything(board);
    const { bill } = await backend.billed(act);
    expect(bill).toMatchObject({ writes: 0, deletes: 0 });
    expect(await everything(board)).toEqual(before);
  };
  const expectRefused: Refusals["expectRefused"] = ({ board, fields, uid }, { reason, field }) =>
    expectUnchanged(board, async () => {
      const { status, error } = await call("submit", fields, uid);
      expect(error?.details).toMatchObject({ reason, ...(field === undefined ? {} : { field }) });
      expect(Math.floor(status / 100)).toBe(4);
    });

  const sceneOf = async ({ settings, isNew }: Refused): Promise<Scene> => {
    const [board, ada] = [await newBoard(settings), someone().uid];
    if (isNew) return { board, ada };
    const isBound = settings !== undefined && "session" in settings;
    const session = isBound ? { session: JSON.stringify((await starts(ada, { board })).token) } : {};
    clock.time += MINUTE;
    const first = { attempt: '"first-attempt"', ...session, ...(isRatio(settings) ? { of: "5" } : {}) };
    expect((await call("submit", honest(board, first), ada)).error).toBeUndefined();
    return { board, ada };
  };

  return {
    clock,
    get port() {
      return wire.port;
    },
    call,
    expectRefused,
    expectUnchanged,
    testAll: (cases) => {
      test.each(Object.entries(cases))("%s", async (_, refused) => {
        const scene = await sceneOf(refused);
        const sent = typeof refused.fields === "function" ? await refused.fields(scene) : refused.fields;
        await expectRefused({ board: scene.board, fields: honest(scene.board, sent), uid: scene.ada }, refused);
      });
    },
  };
}
