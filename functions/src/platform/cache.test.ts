import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { hasRedis, type RedisServer, startRedis } from "../../testing/redis.ts";
import { cached, disconnect, forget, forgetAll } from "./cache.ts";

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
