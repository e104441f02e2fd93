import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import * as z from "zod";
import { hasRedis, type RedisServer, startRedis } from "../../testing/redis.ts";
import { cached, forget, forgetAll } from "./cache.ts";
import { counted } from "./hit-rate.ts";
import { disconnect } from "./redis.ts";

beforeEach(() => {
  process.env.REDIS_URL = "";
  forgetAll();
});

const counting = (value: unknown = { n: 1 }) => {
  const load = vi.fn(async () => value as { n: number });
  return load;
};
const Shape = z.object({ n: z.number() });

describe("a cached value", () => {
  test("is loaded once while it is fresh, and again afterwards", async () => {
    const load = counting();
    const ask = () => cached("fresh", { processSeconds: 0.05 }, Shape, load);
    expect(await ask()).toEqual({ n: 1 });
    expect(await ask()).toEqual({ n: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    await sleep(80);
    await ask();
    expect(load).toHaveBeenCalledTimes(2);
  });

  test("is loaded once for all who ask at the same time", async () => {
    const load = vi.fn(async () => {
      await sleep(20);
      return { n: 1 };
    });
    await Promise.all(Array.from({ length: 50 }, () => cached("stampede", { processSeconds: 60 }, Shape, load)));
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("that could not be loaded is not remembered as a failure", async () => {
    let works = false;
    const load = async () => {
      if (!works) throw new Error("not now");
      return { n: 2 };
    };
    await expect(cached("failing", { processSeconds: 60 }, Shape, load)).rejects.toThrow("not now");
    works = true;
    expect(await cached("failing", { processSeconds: 60 }, Shape, load)).toEqual({ n: 2 });
  });

  test("that is forgotten while it is loaded is not kept", async () => {
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const first = cached("changed", { processSeconds: 60 }, Shape, async () => {
      await slow;
      return { n: 1 };
    });
    await forget("changed");
    const second = cached("changed", { processSeconds: 60 }, Shape, async () => ({ n: 2 }));
    finish();
    expect([await first, await second]).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await cached("changed", { processSeconds: 60 }, Shape, counting({ n: 3 }))).toEqual({ n: 2 });
  });

  test("that there is none of is looked for again", async () => {
    expect(await cached("none", { processSeconds: 60 }, Shape, async () => undefined)).toBeUndefined();
    expect(await cached("none", { processSeconds: 60 }, Shape, counting())).toEqual({ n: 1 });
  });

  test("that is past its time is given to all but the one who has it loaded anew", async () => {
    const freshness = { processSeconds: 0.05, staleSeconds: 60 };
    let n = 0;
    const load = async () => {
      await sleep(20);
      return { n: ++n };
    };
    const ask = () => cached("stale", freshness, Shape, load);
    await ask();
    await sleep(80);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([{ n: 2 }, { n: 1 }, { n: 1 }]);
    expect(await ask()).toEqual({ n: 2 });
  });

  test("that no process may keep is loaded by each who comes after the other", async () => {
    const load = counting();
    for (let i = 0; i < 2; i++) await cached("unkept", { processSeconds: 0 }, Shape, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test("is counted by where it came from", async () => {
    const freshness = { processSeconds: 60 };
    for (let i = 0; i < 20; i++) await cached(`counts:${i % 2}`, freshness, Shape, counting());
    expect(counted("counts")).toEqual({ process: 18, redis: 0, stale: 0, source: 2 });
  });

  test("that was forgotten is loaded anew", async () => {
    const load = counting();
    await cached("forgotten", { processSeconds: 60 }, Shape, load);
    await forget("forgotten");
    await cached("forgotten", { processSeconds: 60 }, Shape, load);
    expect(load).toHaveBeenCalledTimes(2);
  });
});

describe.skipIf(!hasRedis)(`Redis behind it${hasRedis ? "" : " (skipped: redis-server is not installed)"}`, () => {
  let port = 0;
  let server: RedisServer;
  let client: Redis;
  const freshness = { processSeconds: 60, redisSeconds: 60 };
  const inRedis = (key: string) => `pot-of-gold:1:${process.env.GCLOUD_PROJECT ?? ""}:${key}`;

  beforeAll(async () => {
    server = await startRedis();
    port = server.port;
    client = new Redis(port);
  });
  beforeEach(async () => {
    process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
    await client.flushall();
  });
  afterEach(disconnect);
  afterAll(() => {
    client.disconnect();
    server.kill();
  });

  test("answers a process that has not got the value itself", async () => {
    const load = counting();
    await cached("shared", freshness, Shape, load);
    forgetAll();
    expect(await cached("shared", freshness, Shape, load)).toEqual({ n: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    expect(await client.ttl(inRedis("shared"))).toBeGreaterThan(0);
  });

  test("wiped, or holding what does not fit, is made up for by the source", async () => {
    const load = counting();
    for (const spoiled of ["nonsense", '{"n":"one"}', "null"]) {
      await client.set(inRedis("spoiled"), spoiled);
      forgetAll();
      expect(await cached("spoiled", freshness, Shape, load)).toEqual({ n: 1 });
      expect(await client.get(inRedis("spoiled"))).toBe('{"n":1}');
    }
    expect(load).toHaveBeenCalledTimes(3);
  });

  test("forgets what is to be forgotten, and does not take it from a process that loaded it before", async () => {
    await cached("old", freshness, Shape, counting());
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    await forget("old");
    const late = cached("late", freshness, Shape, async () => {
      await slow;
      return { n: 1 };
    });
    await forget("late");
    finish();
    await late;
    forgetAll();
    for (const key of ["old", "late"]) {
      expect(await cached(key, freshness, Shape, counting({ n: 2 }))).toEqual({ n: 2 });
      expect(await client.ttl(inRedis(key))).toBeLessThanOrEqual(30);
    }
  });

  /** As another instance does it: a copy of the module with a memory and a connection of its own. */
  const instance = async (): Promise<typeof cached> => {
    vi.resetModules();
    const { cached: ask } = await import("./cache.ts");
    onTestFinished((await import("./redis.ts")).disconnect);
    return ask;
  };

  test("is filled by one instance, however many ask at the same time", async () => {
    const load = vi.fn(async () => {
      await sleep(60);
      return { n: 1 };
    });
    const instances = [await instance(), await instance(), await instance(), await instance()];
    await instances[0]?.("warm", freshness, Shape, counting());
    const answers = await Promise.all(instances.map((ask) => ask("together", freshness, Shape, load)));
    expect(answers).toEqual(Array.from({ length: 4 }, () => ({ n: 1 })));
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("gives the old value to other instances while one loads the new one", async () => {
    const short = { processSeconds: 0, redisSeconds: 0.05, staleSeconds: 60 };
    const [one, other] = [await instance(), await instance()];
    await one("old", short, Shape, counting({ n: 1 }));
    await sleep(80);
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const begun = Promise.withResolvers<void>();
    const renewed = one("old", short, Shape, async () => {
      begun.resolve();
      await slow;
      return { n: 2 };
    });
    await begun.promise;
    expect(await other("old", short, Shape, counting({ n: 3 }))).toEqual({ n: 1 });
    finish();
    expect(await renewed).toEqual({ n: 2 });
    expect(await other("old", short, Shape, counting({ n: 3 }))).toEqual({ n: 2 });
  });

  test("is filled by somebody else at once if whoever loads fails, and after a moment if they stay away", async () => {
    const [one, other] = [await instance(), await instance()];
    const [begun, hanging] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const failing = async () => {
      begun.resolve();
      await sleep(30);
      throw new Error("not now");
    };
    const failed = one("fails", freshness, Shape, failing).catch(({ message }: Error) => message);
    await begun.promise;
    expect(await other("fails", freshness, Shape, counting())).toEqual({ n: 1 });
    expect(await failed).toBe("not now");
    const never = one("hangs", freshness, Shape, async () => {
      hanging.resolve();
      return await sleep(1_500, undefined);
    });
    await hanging.promise;
    expect(await other("hangs", freshness, Shape, counting({ n: 5 }))).toEqual({ n: 5 });
    await never;
  });

  test("shared by two projects keeps them apart", async () => {
    const before = process.env.GCLOUD_PROJECT;
    for (const [project, n] of [
      ["one", 1],
      ["two", 2],
    ] as const) {
      process.env.GCLOUD_PROJECT = project;
      forgetAll();
      expect(await cached("same", freshness, Shape, async () => ({ n }))).toEqual({ n });
    }
    if (before === undefined) delete process.env.GCLOUD_PROJECT;
    else process.env.GCLOUD_PROJECT = before;
  });

  test("down changes nothing but the speed, and is left alone for a while", async () => {
    process.env.REDIS_URL = "redis://127.0.0.1:1";
    const load = counting();
    for (const key of ["down-1", "down-2", "down-3"])
      expect(await cached(key, freshness, Shape, load)).toEqual({ n: 1 });
    expect(load).toHaveBeenCalledTimes(3);
  });
});
