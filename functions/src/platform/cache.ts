import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import type * as z from "zod";
import { count } from "./hit-rate.ts";
import { redisKey, runScript, script, withRedis } from "./redis.ts";

/**
 * Two caches over Firestore: one in this process for seconds, and Redis, if there is one, for all processes. Redis is
 * disposable: wiped, slow or gone, everything is answered all the same, from the source.
 */
export interface Freshness {
  /** How long this process may keep a value; 0: not at all. */
  readonly processSeconds: number;
  /** How long Redis may keep it; absent: not kept there. */
  readonly redisSeconds?: number;
  /** For how long after that others are given the old value while one who asks waits for the new one. 0 unless said otherwise. */
  readonly staleSeconds?: number;
}

const MAX_ENTRIES = 10_000;
const MAX_BYTES = 96 * 1_024 * 1_024;
/** What a value that does not say its size (`byteLength`) is taken for. */
const USUAL_BYTES = 2_000;
/** How long Redis takes no value under a key that was forgotten: longer than any load that began before lasts. */
const FORGOTTEN_SECONDS = 30;
const FORGOTTEN = "";

/** For how long one instance keeps others from loading the same: longer than a load lasts, mostly. */
const LOCK_MILLIS = 2_000;
/** How often, and how many times, those others look whether it has come; then they load it themselves. */
const WAIT_MILLIS = 40;
const MAX_WAITS = 10;

interface Entry {
  readonly value: object | boolean;
  /** By the process's own clock. */
  readonly freshUntil: number;
}

const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES, maxSize: MAX_BYTES, sizeCalculation: sizeOf });
const loading = new Map<string, Promise<unknown>>();

/**
 * The value under a key: from this process, else from Redis, else by `load`, once however many ask at the same time, here or in other
 * instances: one of them loads, and the others take the old value if it may still be given, or wait a moment for the new one. That there is
 * none is not remembered, so that what is made counts at once. How often each of them answered is counted by {@link count}.
 * @param key as `board:arcade`: before the colon stands the name under which it is counted
 * @param shape checks what comes out of Redis; a value that does not fit is loaded anew
 */
export async function cached<Shape extends z.ZodType<object | boolean>>(
  key: string,
  freshness: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape> | undefined>,
): Promise<z.output<Shape> | undefined> {
  const fresh = atHand(key, shape);
  if (fresh !== undefined) return fresh;
  const known = entries.get(key);
  const underWay = loading.get(key);
  if (underWay && known) {
    count(key, "stale");
    return known.value as z.output<Shape>;
  }
  if (underWay) {
    count(key, "process");
    return (await underWay) as z.output<Shape> | undefined;
  }
  const promise = fetchValue(key, freshness, shape, load);
  loading.set(key, promise);
  try {
    const value = await promise;
    // If the key was forgotten meanwhile, what was loaded may be what is to be forgotten.
    if (value !== undefined && loading.get(key) === promise) keep(key, freshness, value);
    return value;
  } finally {
    if (loading.get(key) === promise) loading.delete(key);
  }
}

/**
 * What this process keeps under a key and is fresh, at once; else undefined, and {@link cached} is to be asked. For what is asked so often
 * that waiting costs more than the answer.
 * @param _shape that of `cached`
 */
export function atHand<Shape extends z.ZodType<object | boolean>>(
  key: string,
  _shape: Shape,
): z.output<Shape> | undefined {
  const known = entries.get(key);
  if (!known || known.freshUntil <= performance.now()) return undefined;
  count(key, "process");
  return known.value as z.output<Shape>;
}

function keep(key: string, { processSeconds, staleSeconds = 0 }: Freshness, value: object | boolean): void {
  if (processSeconds <= 0) return;
  const freshUntil = performance.now() + processSeconds * 1_000;
  entries.set(key, { value, freshUntil }, { ttl: Math.ceil((processSeconds + staleSeconds) * 1_000) });
}

function sizeOf({ value }: Entry): number {
  return typeof value === "object" && "byteLength" in value ? Number(value.byteLength) + 1 : USUAL_BYTES;
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

async function fetchValue<Shape extends z.ZodType<object | boolean>>(
  key: string,
  freshness: Freshness,
  shape: Shape,
  load: () => Promise<z.output<Shape> | undefined>,
): Promise<z.output<Shape> | undefined> {
  const { redisSeconds, staleSeconds = 0 } = freshness;
  if (redisSeconds === undefined) {
    count(key, "source");
    return await load();
  }
  const token = randomUUID();
  const found = await look(key, { staleSeconds, token }, shape);
  if (found) {
    count(key, found.isFresh ? "redis" : "stale");
    return found.value;
  }
  count(key, "source");
  let value: z.output<Shape> | undefined;
  try {
    value = await load();
    return value;
  } finally {
    await put(key, token, { value, millis: (redisSeconds + staleSeconds) * 1_000 });
  }
}

/**
 * What a key holds, how long that will last, and whether it is ours to load: if it is past its time and nobody else is at it. What was
 * forgotten is nobody's turn, because nothing can be kept under it yet.
 */
const LOOK = script(`
local value = redis.call('GET', KEYS[1])
if value == '' then return {false, 0, 1} end
local left = value and redis.call('PTTL', KEYS[1]) or 0
if left > tonumber(ARGV[1]) then return {value, left, 1} end
local lock = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return {value, left, lock and 1 or 0}`);

/** Keeps a value, unless the key was forgotten since, and lets others load. */
const PUT = script(`
if ARGV[2] ~= '' and redis.call('GET', KEYS[1]) ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end`);

type Looked = [text: string | null, millisLeft: number, isOurs: number];

/** What Redis has that may be given; undefined if it is to be loaded, by us. */
async function look<Shape extends z.ZodType>(
  key: string,
  { staleSeconds, token }: { staleSeconds: number; token: string },
  shape: Shape,
): Promise<{ value: z.output<Shape>; isFresh: boolean } | undefined> {
  const staleMillis = staleSeconds * 1_000;
  for (let waits = 0; waits < MAX_WAITS; waits++) {
    const looked = (await withRedis((client) =>
      runScript(client, LOOK, keysOf(key), [staleMillis, token, LOCK_MILLIS]),
    )) as Looked | undefined;
    if (!looked) return undefined;
    const [text, millisLeft, isOurs] = looked;
    const isFresh = millisLeft > staleMillis;
    const known = isFresh || !isOurs ? parse(shape, text) : undefined;
    if (known) return { value: known.value, isFresh };
    if (isOurs) return undefined;
    await sleep(WAIT_MILLIS);
  }
  return undefined;
}

async function put(
  key: string,
  token: string,
  { value, millis }: { value: object | boolean | undefined; millis: number },
): Promise<void> {
  const text = value === undefined ? "" : JSON.stringify(value);
  await withRedis((client) => runScript(client, PUT, keysOf(key), [token, text, Math.ceil(millis)]));
}

/** What a key holds, and who loads it. The braces have a Cluster keep both in one place. */
function keysOf(key: string): [value: string, lock: string] {
  return [redisKey(key), `{${redisKey(key)}}:lock`];
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
