import type * as z from "zod";
import { cached } from "../../platform/cache.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { FieldPath, firestore, type Query, Timestamp } from "../../platform/firestore.ts";
import { boardOf } from "../board.ts";
import type { History, HistoryRequest, Results, ResultsRequest, SeasonPage, SeasonRequest } from "./contract.ts";
import { KeptPage, pages, type Result, results, resultsOf, type SeasonRecord, seasonId, seasons } from "./records.ts";

/** What was: the seasons of a board that are closed, their final pages, and how the caller has ended them. */

/** What is kept of a season only changes when somebody is struck out of it. */
const FRESH = { processSeconds: 60, redisSeconds: 86_400 };

/** The seasons of a board that are closed, the latest first. A read for each. Refuses `unknown-board`. */
export async function history(
  _caller: Caller,
  { board, period, limit, cursor }: z.output<typeof HistoryRequest>,
): Promise<History> {
  await boardOf(board);
  let query: Query<SeasonRecord> = seasons(board).where("state", "==", "closed");
  if (period !== undefined) query = query.where("period", "==", period);
  query = query.orderBy("endsAt", "desc").orderBy(FieldPath.documentId(), "desc").limit(limit);
  const after = placeOf(cursor);
  if (after) query = query.startAfter(after.at, after.season);
  const { docs } = await query.get();
  const last = docs.length === limit ? docs.at(-1) : undefined;
  return {
    seasons: docs.map((document) => shown(document.data())),
    ...(last ? { nextCursor: cursorOf(last.data().endsAt, last.id) } : {}),
  };
}

function shown({ period, season, startsAt, endsAt, players, kept }: SeasonRecord): History["seasons"][number] {
  return { period, season, startsAt: startsAt.toMillis(), endsAt: endsAt.toMillis(), players, kept };
}

/** A page of a season that is over. One read, none while it is remembered. */
export async function season(
  _caller: Caller,
  { board, period, season: name, page: n }: z.output<typeof SeasonRequest>,
): Promise<SeasonPage> {
  const id = seasonId(period, name);
  const page = await cached(pageKey(board, id, n), FRESH, KeptPage, async () =>
    (await pages(board, id).doc(String(n)).get()).data(),
  );
  if (!page) return { rows: [] };
  return { rows: page.rows, ...(page.isLast ? {} : { nextPage: n + 1 }) };
}

/** Under which a page is remembered. */
export function pageKey(board: string, season: string, n: number): string {
  return `kept:${board}:${season}:${n}`;
}

/** How the caller has ended the seasons of a board. A read for each. */
export async function myResults(
  caller: Caller,
  { board, limit, cursor }: z.output<typeof ResultsRequest>,
): Promise<Results> {
  let query = resultsOf(board, caller.uid).orderBy(FieldPath.documentId(), "desc").limit(limit);
  const after = placeOf(cursor);
  if (after) {
    const { path } = results(board, after.season).doc(caller.uid);
    query = query.startAfter(after.at, firestore().doc(path));
  }
  const found = (await query.get()).docs.map((document) => document.data());
  const last = found.length === limit ? found.at(-1) : undefined;
  return {
    results: found.map(resultShown),
    ...(last ? { nextCursor: cursorOf(last.endedAt, seasonId(last.period, last.season)) } : {}),
  };
}

function resultShown({ period, season: name, endedAt, rank, score, sub, awards, struckAt, league }: Result) {
  return {
    period,
    season: name,
    endedAt: endedAt.toMillis(),
    ...(rank === undefined ? {} : { rank }),
    score,
    ...(sub === undefined ? {} : { subscore: sub }),
    prizes: awards.map(({ scope, rank: place, state }) => ({ scope, rank: place, state })),
    disqualified: struckAt !== undefined,
    ...(league ? { league: { tier: league.tier, rank: league.rank, tierAfter: league.tierAfter } } : {}),
  };
}

/** Where a page ended: when the last season on it did, and its id. */
function cursorOf(at: Timestamp, season: string): string {
  return `${at.toMillis()} ${season}`;
}

function placeOf(cursor: string | undefined): { at: Timestamp; season: string } | undefined {
  if (cursor === undefined) return undefined;
  const [at = "", id = ""] = cursor.split(" ");
  return { at: Timestamp.fromMillis(Math.min(Number(at), MAX_MILLIS)), season: id };
}

/** The last moment of the year 9999, after which Firestore knows none. */
const MAX_MILLIS = 253_402_300_799_999;
