import { type Change, entryIn } from "../../functions/src/leaderboards/redis/changes.ts";
import { follow } from "../../functions/src/leaderboards/redis/follow.ts";
import { placeWidth } from "../../functions/src/leaderboards/redis/packing.ts";
import { BEGIN, FINISH, UPDATE } from "../../functions/src/leaderboards/redis/scripts.ts";
import { scriptKeys } from "../../functions/src/leaderboards/redis/seasons.ts";
import { timestamp } from "../../functions/src/platform/firestore.ts";
import { runScript, withRedis } from "../../functions/src/platform/redis.ts";
import { BOARD } from "../serving/requests.ts";
import { BOARD_SETTINGS, idOf, PERIOD, playerWith, scoreOf } from "./players.ts";

/** As many as a rebuild takes in at a time. */
const BATCH = 500;
/**
 * Players who are put in by score: neighbours in a batch are so on the board, which Redis takes in faster. Neighbours on the board lie as far
 * apart in memory as ever, for they are of different windows.
 */
const WINDOW = 100_000;
/** Batches that are on their way to Redis: one that it works on and those that wait for it. */
const MAX_UNDER_WAY = 8;
const SAMPLE = 100;
const GENERATION = "bench";
/** A board with some of the players, who came to it by submitting. */
const PROOF = "proof";
export const SEASON = { period: PERIOD, season: "all" } as const;

/**
 * Puts so many players into Redis by what a rebuild runs there, without a database to read them from. Throws if it is not what the product's
 * own updates make of some of them.
 */
export async function fillRedis(players: number): Promise<void> {
  const at = Date.now() - 1_000;
  await begin(BOARD);
  const underWay = new Set<Promise<unknown>>();
  for (let from = 0; from < players; from += WINDOW) {
    const window = byScore(from, Math.min(players, from + WINDOW));
    for (let i = 0; i < window.length; i += BATCH) {
      if (underWay.size >= MAX_UNDER_WAY) await Promise.race(underWay);
      const sent = take(window.subarray(i, i + BATCH), at).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
  }
  await Promise.all(underWay);
  await finish(BOARD);
  await prove(players, at);
}

/** The change that a score is. @param at when it was reached and written, in milliseconds since the epoch */
export function changeTo(i: number, score: number, at: number): Change {
  return { player: idOf(i), before: "unknown", after: playerWith(i, score, at), version: timestamp(at) };
}

async function begin(board: string): Promise<void> {
  const answer = await run(board, BEGIN, [GENERATION, Date.now(), 0, "", "again"]);
  if (answer !== "building") throw new Error(`Redis is not built but ${answer}`);
}

async function finish(board: string): Promise<void> {
  if ((await run(board, FINISH, [GENERATION])) !== 1) throw new Error("what was built is gone");
}

function byScore(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i).sort(
    (one, other) => scoreOf(one) - scoreOf(other),
  );
}

async function take(batch: Uint32Array, at: number): Promise<void> {
  const args: string[] = [];
  for (const i of batch) {
    const packed = entryIn(BOARD_SETTINGS, SEASON, changeTo(i, scoreOf(i), at));
    if (packed === undefined) throw new Error("a score that is in no season");
    args.push(idOf(i), packed);
  }
  const taken = await run(BOARD, UPDATE, [GENERATION, "", Date.now(), ...args]);
  if (taken !== batch.length) throw new Error(`${taken} of ${batch.length} players were taken in`);
}

/** Has some of the players submit on a board of their own, and compares. */
async function prove(players: number, at: number): Promise<void> {
  await begin(PROOF);
  await finish(PROOF);
  const step = Math.max(1, Math.floor(players / SAMPLE));
  const sample: number[] = [];
  for (let i = 0; i < players; i += step) sample.push(i);
  await follow(
    PROOF,
    BOARD_SETTINGS,
    sample.map((i) => changeTo(i, scoreOf(i), at)),
  );
  for (const i of sample) {
    const [filled, followed] = [await keptOf(BOARD, idOf(i)), await keptOf(PROOF, idOf(i))];
    if (filled !== followed) throw new Error(`Redis was filled with ${filled}, and a score makes it ${followed}`);
  }
  const keys = scriptKeys(PROOF, BOARD_SETTINGS, SEASON);
  await withRedis((client) => client.unlink(...keys));
}

/** All that Redis has of a player, as text. */
async function keptOf(board: string, player: string): Promise<string> {
  const [, players, ranked] = scriptKeys(board, BOARD_SETTINGS, SEASON);
  const kept = await withRedis(async (client) => {
    const packed = (await client.hget(players, player)) ?? "";
    const place = packed.indexOf("|");
    const member = packed.slice(place - placeWidth(BOARD_SETTINGS), place) + player;
    return `${packed} ${member} ${await client.zscore(ranked, member)}`;
  });
  if (kept === undefined || kept.endsWith("null")) throw new Error(`Redis does not rank ${player}: ${kept}`);
  return kept;
}

async function run(board: string, script: typeof UPDATE, args: readonly (string | number)[]): Promise<unknown> {
  const answer = await withRedis((client) =>
    runScript(client, script, scriptKeys(board, BOARD_SETTINGS, SEASON), args),
  );
  if (answer === undefined) throw new Error("Redis does not answer");
  return answer;
}
