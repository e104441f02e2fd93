import * as z from "zod";
import { collection, collectionGroup, Moment, type Query } from "../../platform/firestore.ts";
import { Reward } from "../../rewards/index.ts";
import { Row } from "../contract.ts";
import type { Period } from "../periods.ts";
import { League, PeriodName, Prize } from "../settings.ts";
import { Pool } from "../tournaments/pool.ts";

const Whole = z.int().nonnegative();

/** How many rows a page has that is kept: one document, read at once. */
export const ROWS = 100;
/** How many can be struck out of a season while it is being closed. */
export const MAX_STRUCK = 1_000;

/** Where the closing of a season is. */
export const Stage = z.enum(["pages", "refunds", "prizes", "country", "group", "league", "finish"]);
export type Stage = z.infer<typeof Stage>;

/** `leaderboards/{board}/seasons/{period}-{season}`: a season that is being closed, or was. Written by what closes seasons. */
export const SeasonRecord = z.object({
  board: z.string(),
  period: PeriodName,
  season: z.string(),
  number: z.int(),
  startsAt: Moment,
  endsAt: Moment,
  state: z.enum(["closing", "closed"]),
  stage: Stage,
  /** How many steps were taken: whoever takes the next one does so on condition that nobody else has. */
  steps: Whole,
  /** Who has taken the last one. */
  by: z.string().optional(),
  /** The place in the order of the stage behind which it goes on. */
  cursor: z.string().optional(),
  /** Of a walk through countries or groups: whose players the cursor is among, and how many of them are in front of it. */
  among: z.object({ id: z.string(), passed: Whole }).optional(),
  /** How many pages have been kept, or, where prizes are given by page, looked at. */
  pages: Whole,
  looked: Whole,
  /** How many players were ranked, and of how many that is kept. */
  players: Whole,
  kept: Whole,
  /** What the board said when it began to be closed. */
  keep: z.int().positive(),
  prizes: z.array(Prize),
  /** Of a tournament: what its prizes are made of. */
  pool: Pool.optional(),
  /** Of a league: who moves between tiers. */
  league: League.optional(),
  /** Prizes that were given, and those that could not be. */
  given: Whole,
  failed: Whole,
  /** Who was disqualified while it was being closed. */
  struck: z.array(z.string()).max(MAX_STRUCK).default([]),
  updatedAt: Moment,
  closedAt: Moment.optional(),
});
export type SeasonRecord = z.infer<typeof SeasonRecord>;

export const seasons = (board: string) => collection(`leaderboards/${board}/seasons`, SeasonRecord);

export function seasonId(period: Period, season: string): string {
  return `${period}-${season}`;
}

/**
 * `…/seasons/{period}-{season}/pages/{n}`: a hundred ranks as they were in the end, their players as they are shown now. Who was struck out,
 * or is banned, leaves a gap; of who was erased `player` and `name` are empty.
 */
export const KeptPage = z.object({ rows: z.array(Row).max(ROWS), isLast: z.boolean() });
export type KeptPage = z.infer<typeof KeptPage>;

export const pages = (board: string, season: string) =>
  collection(`leaderboards/${board}/seasons/${season}/pages`, KeptPage);

/** A prize of a player, given or not. */
export const Award = z.object({
  scope: z.enum(["global", "country", "group"]),
  rank: z.int().positive(),
  state: z.enum(["given", "failed", "taken-back"]),
  /** What was given, under which idempotency key, and the transaction of the ledger that gave it. */
  reward: Reward.optional(),
  key: z.string().optional(),
  transaction: z.string().optional(),
  /** Why it could not be given. */
  reason: z.string().optional(),
});
export type Award = z.infer<typeof Award>;

/** `…/seasons/{period}-{season}/results/{uid}`: how a player has ended a season; its player may read it. */
export const Result = z.object({
  board: z.string(),
  player: z.string(),
  period: PeriodName,
  season: z.string(),
  /** Absent for who has a prize of a country or group and is not among those who are kept. */
  rank: z.int().positive().optional(),
  /** The page that has the row. */
  page: Whole.optional(),
  score: z.int(),
  sub: z.int().optional(),
  /** When the score was reached, and what was submitted with it: the row is made anew of it where it has been left out for a time. */
  at: Moment,
  metadata: z.record(z.string(), z.json()).optional(),
  /** The country that the player was ranked under, where the board ranks countries. */
  country: z.string().optional(),
  /** When the season ended. */
  endedAt: Moment,
  awards: z.array(Award).default([]),
  /** In a league: the rank in the cohort, and the tier that it has led to. */
  league: z.object({ tier: z.int(), cohort: z.string(), rank: z.int(), tierAfter: z.int() }).optional(),
  /** Since when it does not count any more. */
  struckAt: Moment.optional(),
});
export type Result = z.infer<typeof Result>;

export const results = (board: string, season: string) =>
  collection(`leaderboards/${board}/seasons/${season}/results`, Result);

/** A player's results of all seasons of a board, the latest first. */
export function resultsOf(board: string, player: string): Query<Result> {
  return collectionGroup("results", Result)
    .where("board", "==", board)
    .where("player", "==", player)
    .orderBy("endedAt", "desc");
}
