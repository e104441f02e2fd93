import type { Redis } from "ioredis";
import { LRUCache } from "lru-cache";
import type * as z from "zod";
import { config } from "./config.ts";
import { log } from "./log.ts";

/**
 * Two caches over Firestore: one in this process for seconds, and Redis, if there is one, for all processes. Redis is
 * disposable: wiped, slow or gone, everything is answered all the same, from the source.
 */
export interface Freshness {
  /** How long this process may keep a value. */
  readonly processSeconds: number;
  /** How long Redis may keep it; absent: not kept there. */
  readonly redisSeconds?: number;
}

const MAX_ENTRIES = 10_000;
const REDIS_TIMEOUT_MILLIS = 250;
/** After a failure Redis is left alone for a while, so that it being down costs nothing. */
const REDIS_PAUSE_MILLIS = 5_000;

/** Keys in Redis: by project, so that two of them can share one, and by version of what is kept. */
const NAMESPACE = "pot-of-gold:1";
/** How long Redis takes no value under a key that was forgotten: longer than any load that began before lasts. */
const FORGOTTEN_SECONDS = 30;
const FORGOTTEN = "";

const entries = new LRUCache<string, object | boolean>({ max: MAX_ENTRIES });
const loading = new Map<string, Promise<unknown>>();
let redis: Promise<Redis> | undefined;
let redisPausedUntil = 0;

/**
 * The value under a key: from this process, else from Redis, else by `load`, once however many ask at the same time. That there is
 * none is not remembered, so that what is made counts at once.
 * @param shape checks what comes out of Redis; a value that does not fit is loaded anew
 */
export async function cached<Shape extends z.ZodType<object | boolean>>(
  key: string,
  freshness: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape> | undefined>,
): Promise<z.output<Shape> | undefined> {
  const known = entries.get(key);
  if (known !== undefined) return known as z.output<Shape>;
  const underWay = loading.get(key);
  if (underWay) return (await underWay) as z.output<Shape> | undefined;
  const promise = fetchValue(key, freshness, shape, load);
  loading.set(key, promise);
  try {
    const value = await promise;
    // If the key was forgotten meanwhile, what was loaded may be what is to be forgotten.
    if (value !== undefined && loading.get(key) === promise) {
      entries.set(key, value, { ttl: freshness.processSeconds * 1_000 });
    }
    return value;
  } finally {
    if (loading.get(key) === promise) loading.delete(key);
  }
}

/** Forgets a value here and in Redis; other processes may keep theirs for their few seconds. */
export async function forget(key: string): Promise<void> {
  entries.delete(key);
  loading.delete(key);
  await withRedis((client) => client.set(redisKey(key), FORGOTTEN, "EX", FORGOTTEN_SECONDS));
}

/** Forgets everything that this process keeps. For tests. */
export function forgetAll(): void {
  entries.clear();
}

/** Ends the connection to Redis; the next question opens one. For tests. */
export async function disconnect(): Promise<void> {
  const open = redis;
  redis = undefined;
  redisPausedUntil = 0;
  (await open)?.disconnect();
}

async function fetchValue<Shape extends z.ZodType<object | boolean>>(
  key: string,
  { redisSeconds }: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape> | undefined>,
): Promise<z.output<Shape> | undefined> {
  if (redisSeconds === undefined) return await load();
  const kept = await withRedis((client) => client.get(redisKey(key)));
  const known = parse(shape, kept);
  if (known) return known.value;
  const value = await load();
  if (value === undefined) return undefined;
  await withRedis(async (client) => {
    // What does not fit makes room; what was forgotten keeps its mark.
    if (kept) await client.del(redisKey(key));
    await client.set(redisKey(key), JSON.stringify(value), "EX", redisSeconds, "NX");
  });
  return value;
}

function redisKey(key: string): string {
  return `${NAMESPACE}:${process.env.GCLOUD_PROJECT ?? ""}:${key}`;
}

/** What Redis keeps of a value; undefined if that is nothing, or nothing that fits. */
function parse<Shape extends z.ZodType>(
  shape: Shape,
  text: string | null | undefined,
): { value: z.output<Shape> } | undefined {
  if (!text) return undefined;
  try {
    const parsed = shape.safeParse(JSON.parse(text));
    return parsed.success ? { value: parsed.data } : undefined;
  } catch {
    return undefined;
  }
}

/** Asks Redis; undefined where there is none, it is down, or it does not answer at once. */
async function withRedis<T>(ask: (client: Redis) => Promise<T>): Promise<T | undefined> {
  if (config.redisUrl.value() === "" || Date.now() < redisPausedUntil) return undefined;
  try {
    redis ??= connect(config.redisUrl.value());
    return await ask(await redis);
  } catch (error) {
    redisPausedUntil = Date.now() + REDIS_PAUSE_MILLIS;
    log.warn("Redis does not answer", { message: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

async function connect(url: string): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    connectTimeout: REDIS_TIMEOUT_MILLIS,
    commandTimeout: REDIS_TIMEOUT_MILLIS,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
  });
  client.on("error", (error) => log.warn("Redis connection", { message: error.message }));
  try {
    await client.connect();
  } catch (error) {
    redis = undefined;
    client.disconnect();
    throw error;
  }
  return client;
}
