import { Batches } from "../../platform/batches.ts";
import { now } from "../../platform/clock.ts";
import { log } from "../../platform/log.ts";
import { hasRedis, runScript, type Script, withRedis } from "../../platform/redis.ts";
import type { Row } from "../contract.ts";
import { seasonAt } from "../periods.ts";
import type { Scored } from "../place.ts";
import type { View } from "../view.ts";
import { keysOf, suffixOf } from "./keys.ts";
import { placeWidth, rankScore, tieOf, type Unpacked, unpack, unpackRows } from "./packing.ts";
import { ABSENT, AROUND, BUILDING, PAGE, RANKS } from "./scripts.ts";
import { askForRebuild, openNext, scriptKeys } from "./seasons.ts";

/** Whoever builds a season says so more often than this; after that somebody else may begin. */
export const SILENT_MILLIS = 600_000;
/** Standings that are asked for in one question: Redis does nothing else meanwhile. None waits for another question to end. */
const TOGETHER = { max: 8, parallel: 64, worthAnother: 1, patienceMillis: 1, waiting: 5_000 };

/** Questions to Redis, one round trip each and no reads; undefined: Redis cannot say, and Firestore is to be asked. */

/** Where a page begins: behind a place in the order, which somebody need not have any more. */
export interface After extends Scored {
  readonly player: string;
}

export interface KeptPage {
  readonly of: number;
  readonly rows: Row[];
}

export async function keptPage(view: View, after: After | undefined, limit: number): Promise<KeptPage | undefined> {
  const { board } = view;
  const begin = after ? [-1, rankScore(board, after.score), tieOf(board, after) + after.player] : [0];
  const args = [suffixOf(view.scope), placeWidth(board), limit, ...begin];
  return await asked(view, { script: PAGE, args }, (reply) => {
    const rank = numberAt(reply, 1) + 1;
    return { of: numberAt(reply, 0), rows: rowsFrom(view, reply, { from: 2, rank }) };
  });
}

export interface KeptStanding {
  readonly of: number;
  /** What the player has in the season, ranked or not. */
  readonly known: Unpacked | undefined;
  readonly rank?: number;
  /** With the player among them. */
  readonly neighbours: Row[];
}

/** Where a player stands. Who is asked for in an instance at the same moment is asked for in one question. */
export async function keptStanding(view: View, player: string, reach: number): Promise<KeptStanding | undefined> {
  if (!hasRedis()) return undefined;
  const wanted = { view, player, reach };
  const together = standings.add(String(wantedSoFar++), wanted);
  return together ? await together : (await askStandings([wanted]))?.[0];
}

interface Wanted {
  readonly view: View;
  readonly player: string;
  readonly reach: number;
}

const standings = new Batches<Wanted, KeptStanding | undefined>(TOGETHER, askAll);
let wantedSoFar = 0;

async function askAll(all: readonly Wanted[]): Promise<PromiseSettledResult<KeptStanding | undefined>[]> {
  const results: PromiseSettledResult<KeptStanding | undefined>[] = [];
  const questions = Map.groupBy(all.keys(), (place) => questionOf(all[place]));
  const asking = [...questions.values()].map(async (places) => {
    const found = await askStandings(places.flatMap((place) => all[place] ?? []));
    for (const [i, place] of places.entries()) results[place] = { status: "fulfilled", value: found?.[i] };
  });
  await Promise.all(asking);
  return results;
}

/** The same for those whom one question can be about. */
function questionOf(wanted: Wanted | undefined): string {
  if (!wanted) return "";
  const { view, reach } = wanted;
  const { id, board, period, season } = view;
  return `${keysOf({ id, board, period, season: season.key }).ranked}${suffixOf(view.scope)} ${reach}`;
}

async function askStandings(all: readonly Wanted[]): Promise<(KeptStanding | undefined)[] | undefined> {
  const [first] = all;
  if (!first) return [];
  const { view, reach } = first;
  const players = all.map(({ player }) => player);
  const args = [suffixOf(view.scope), placeWidth(view.board), reach, ...players];
  return await asked(view, { script: AROUND, args }, (reply) =>
    players.map((player, i) => readable(view, () => standingFrom(view, player, reply, 1 + i * STANDING_FIELDS))),
  );
}

/** What `AROUND` answers of each. */
const STANDING_FIELDS = 6;

function standingFrom(view: View, player: string, reply: Reply, at: number): KeptStanding {
  const packed = textAt(reply, at);
  const known = packed === "" ? undefined : unpack(view.board, player, packed);
  const [of, rank] = [numberAt(reply, 0), numberAt(reply, at + 1)];
  if (rank < 0) return { of, known, neighbours: [] };
  const neighbours = rowsFrom(view, reply, { from: at + 3, rank: numberAt(reply, at + 2) + 1 });
  return { of, known, rank: rank + 1, neighbours };
}

export interface Kept {
  readonly player: string;
  readonly rank: number | undefined;
  readonly known: Unpacked | undefined;
}

/** What is known of players, in the order in which they are named. */
export async function keptRanks(view: View, players: readonly string[]): Promise<Kept[] | undefined> {
  return await asked(view, { script: RANKS, args: [suffixOf(view.scope), ...players] }, (reply) =>
    players.map((player, i) => {
      const [rank, packed] = [numberAt(reply, 1 + 2 * i), textAt(reply, 2 + 2 * i)];
      const known = packed === "" ? undefined : unpack(view.board, player, packed);
      return { player, rank: rank < 0 ? undefined : rank + 1, known };
    }),
  );
}

type Reply = readonly unknown[];
interface Question {
  readonly script: Script;
  readonly args: readonly (string | number)[];
}

async function asked<T>(view: View, { script, args }: Question, read: (reply: Reply) => T): Promise<T | undefined> {
  if (!hasRedis()) return undefined;
  const { id, board, period, season } = view;
  const keys = scriptKeys(id, board, { period, season: season.key });
  const [reply] = await Promise.all([
    withRedis((client) => runScript(client, script, keys, args)),
    openNext(id, board),
  ]);
  if (!Array.isArray(reply)) return undefined;
  if (reply[0] === ABSENT || isForsaken(reply)) {
    if (seasonAt(period, now(), board).key === season.key) await askForRebuild(id);
    return undefined;
  }
  if (reply[0] === BUILDING) return undefined;
  return readable(view, () => read(reply));
}

function readable<T>({ id, period }: View, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    log.error("what Redis keeps of a leaderboard cannot be read", error, { board: id, period });
    return undefined;
  }
}

/** Somebody has begun to build the season, and not been heard of since. */
function isForsaken([first, beat]: Reply): boolean {
  return first === BUILDING && Number(beat) < now() - SILENT_MILLIS;
}

/** From rows as the scripts give them. Throws if they are not what they should be, as by an id with a line break in it. */
function rowsFrom({ board }: View, reply: Reply, { from, rank }: { from: number; rank: number }): Row[] {
  const count = numberAt(reply, from + 2);
  if (count === 0) return [];
  const [ids, texts] = [textAt(reply, from).split("\n"), textAt(reply, from + 1).split("\n")];
  if (ids.length !== count || texts.length !== count) throw new Error("rows do not fit their players");
  return unpackRows(board, ids, texts, rank);
}

function numberAt(reply: Reply, i: number): number {
  const value = reply[i];
  if (typeof value !== "number") throw new Error("a number was expected");
  return value;
}

function textAt(reply: Reply, i: number): string {
  const value = reply[i];
  if (typeof value !== "string") throw new Error("a text was expected");
  return value;
}
