import type { RedisServer } from "../../functions/testing/redis.ts";

/** For how long a Redis is waited for that is filled, or busy on a small machine. */
const PATIENCE_MILLIS = 60_000;

/** What a Redis has taken so far. */
export interface Taken {
  /** Memory by its allocator, and of that what it has from the start is no part of any player. */
  readonly bytes: number;
  readonly cpuSeconds: number;
}

/** Has the functions' own connection lead to this Redis from now on, and be a new one. */
export async function connectTo({ url }: Pick<RedisServer, "url">): Promise<void> {
  const { disconnect, setRedisTimeout } = await import("../../functions/src/platform/redis.ts");
  await disconnect();
  process.env.REDIS_URL = url;
  setRedisTimeout(PATIENCE_MILLIS);
}

/** Source: https://redis.io/docs/latest/commands/info/ */
export async function takenBy(): Promise<Taken> {
  const { withRedis } = await import("../../functions/src/platform/redis.ts");
  const text = await withRedis((client) => client.info());
  if (text === undefined) throw new Error("Redis does not answer");
  const number = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1] ?? Number.NaN);
  return { bytes: number("used_memory"), cpuSeconds: number("used_cpu_user") + number("used_cpu_sys") };
}
