import { now } from "../../platform/clock.ts";
import { log } from "../../platform/log.ts";
import { hasRedis, runScript, type Script, withRedis } from "../../platform/redis.ts";
import type { Row } from "../contract.ts";
import { seasonAt } from "../periods.ts";
import type { Scored } from "../place.ts";
import type { View } from "../view.ts";
import { suffixOf } from "./keys.ts";
import { placeWidth, rankScore, tieOf, type Unpacked, unpack } from "./packing.ts";
import { ABSENT, AROUND, BUILDING, PAGE, RANKS } from "./scripts.ts";
import { askForRebuild, openNext, scriptKeys } from "./seasons.ts";

/** Whoever builds a season says so more often than this; after that somebody else may begin. */
export const SILENT_MILLIS = 600_000;

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

export async function keptStanding(view: View, player: string, reach: number): Promise<KeptStanding | undefined> {
  const args = [suffixOf(view.scope), placeWidth(view.board), player, reach];
  return await asked(view, { script: AROUND, args }, (reply) => {
    const packed = textAt(reply, 1);
    const known = packed === "" ? undefined : unpack(view.board, player, packed);
    const of = numberAt(reply, 0);
    if (reply.length < 4) return { of, known, neighbours: [] };
    const neighbours = rowsFrom(view, reply, { from: 4, rank: numberAt(reply, 3) + 1 });
    return { of, known, rank: numberAt(reply, 2) + 1, neighbours };
  });
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
  try {
    return read(reply);
  } catch (error) {
    log.error("what Redis keeps of a leaderboard cannot be read", error, { board: id, period });
    return undefined;
  }
}

/** Somebody has begun to build the season, and not been heard of since. */
function isForsaken([first, beat]: Reply): boolean {
  return first === BUILDING && Number(beat) < now() - SILENT_MILLIS;
}

function rowsFrom({ board }: View, reply: Reply, { from, rank }: { from: number; rank: number }): Row[] {
  const rows: Row[] = [];
  for (let i = from; i < reply.length; i += 2) {
    const known = unpack(board, textAt(reply, i), textAt(reply, i + 1));
    if (known) rows.push({ rank: rank + rows.length, ...known.row });
  }
  return rows;
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
