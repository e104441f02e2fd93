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

/** `undefined` values cannot be kept, so each is wrapped. */
const entries = new LRUCache<string, { readonly value: unknown }>({ max: MAX_ENTRIES });
const loading = new Map<string, Promise<unknown>>();
let redis: Promise<Redis> | undefined;
let redisPausedUntil = 0;

/**
 * The value under a key: from this process, else from Redis, else by `load`, once however many ask at the same time.
 * @param shape checks what comes out of Redis; a value that does not fit is loaded anew
 */
export async function cached<Shape extends z.ZodType>(
  key: string,
  freshness: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape>>,
): Promise<z.output<Shape>> {
  const known = entries.get(key);
  if (known) return known.value as z.output<Shape>;
  const underWay = loading.get(key);
  if (underWay) return (await underWay) as z.output<Shape>;
  const promise = fetchValue(key, freshness, shape, load).finally(() => loading.delete(key));
  loading.set(key, promise);
  return await promise;
}

/** Forgets a value here and in Redis; other processes may keep theirs for their few seconds. */
export async function forget(key: string): Promise<void> {
  entries.delete(key);
  await withRedis((client) => client.del(key));
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

async function fetchValue<Shape extends z.ZodType>(
  key: string,
  { processSeconds, redisSeconds }: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape>>,
): Promise<z.output<Shape>> {
  const keep = (value: z.output<Shape>) => {
    entries.set(key, { value }, { ttl: processSeconds * 1_000 });
    return value;
  };
  if (redisSeconds !== undefined) {
    const known = parse(shape, await withRedis((client) => client.get(key)));
    if (known) return keep(known.value);
  }
  const value = await load();
  if (redisSeconds !== undefined)
    await withRedis((client) => client.set(key, JSON.stringify(value), "EX", redisSeconds));
  return keep(value);
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
