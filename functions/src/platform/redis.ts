import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { config } from "./config.ts";
import { log } from "./log.ts";

/**
 * The one connection to Redis, if there is one. Redis is disposable: wiped, slow or gone, everything is answered all the same, from
 * Firestore; so whoever asks here gets undefined instead of an error, at once or after the timeout.
 */
const REDIS_TIMEOUT_MILLIS = 250;
/** After a failure Redis is left alone for a while, so that it being down costs nothing. */
const REDIS_PAUSE_MILLIS = 5_000;
/** Keys in Redis: by project, so that two of them can share one, and by version of what is kept. */
const NAMESPACE = "pot-of-gold:1";

let timeoutMillis = REDIS_TIMEOUT_MILLIS;
let redis: Promise<Redis> | undefined;
let pausedUntil = 0;

/** Whether there is a Redis to be asked, whatever its state. */
export function hasRedis(): boolean {
  return config.redisUrl.value() !== "";
}

/** A key as it is in Redis. What is to lie on one node of a Cluster has the same text in braces. */
export function redisKey(key: string): string {
  return `${NAMESPACE}:${process.env.GCLOUD_PROJECT ?? ""}:${key}`;
}

/** Asks Redis; undefined where there is none, it is down, or it does not answer in time: then it may have done what it was told, or not. */
export async function withRedis<T>(ask: (client: Redis) => Promise<T>): Promise<T | undefined> {
  if (!hasRedis() || Date.now() < pausedUntil) return undefined;
  try {
    redis ??= connect(config.redisUrl.value());
    return await ask(await redis);
  } catch (error) {
    pausedUntil = Date.now() + REDIS_PAUSE_MILLIS;
    log.warn("Redis does not answer", { why: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

/** Lua that runs as one step in Redis, known there by its hash. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** @param lua Source: https://redis.io/docs/latest/develop/programmability/eval-intro/ */
export function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** Runs a script: by its hash, and with its text where Redis does not know it yet. All keys have the same text in braces. */
export async function runScript(
  client: Redis,
  { lua, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return await client.eval(lua, keys.length, ...keys, ...args);
  }
}

/** How long to wait for Redis, from the next connection on, so that a busy machine does not look like Redis being slow. For tests. */
export function setRedisTimeout(millis: number): void {
  timeoutMillis = millis;
}

/** Ends the connection to Redis; the next question opens one. For tests. */
export async function disconnect(): Promise<void> {
  const open = redis;
  redis = undefined;
  pausedUntil = 0;
  (await open?.catch(() => undefined))?.disconnect();
}

async function connect(url: string): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    connectTimeout: timeoutMillis,
    commandTimeout: timeoutMillis,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  client.on("error", (error) => log.warn("Redis connection", { why: error.message }));
  try {
    await client.connect();
  } catch (error) {
    redis = undefined;
    client.disconnect();
    throw error;
  }
  return client;
}
