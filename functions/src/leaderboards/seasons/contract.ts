import * as z from "zod";
import { isUid } from "../../platform/ids.ts";
import { BoardId, Row } from "../contract.ts";
import { PeriodName } from "../settings.ts";

const SeasonName = z.string().regex(/^[\w:-]{1,40}$/, "must be a season's name, as 2026-11-20");
const Cursor = z.string().regex(/^\d{1,16} [\w:-]{1,60}$/, "must be nextCursor of the page before");
const MAX_PAGE = 1_000;

export const HistoryRequest = z.object({
  board: BoardId,
  /** Only seasons of this period. */
  period: PeriodName.optional(),
  limit: z.int().min(1).max(100).default(20),
  cursor: Cursor.optional(),
});

/** Seasons of a board that are closed, the latest first. Times are milliseconds since the epoch. */
export const History = z.object({
  seasons: z.array(
    z.object({
      period: PeriodName,
      season: z.string(),
      startsAt: z.int(),
      endsAt: z.int(),
      /** How many were ranked, and the ranks of how many are kept. */
      players: z.int(),
      kept: z.int(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type History = z.infer<typeof History>;

export const SeasonRequest = z.object({
  board: BoardId,
  period: PeriodName,
  season: SeasonName,
  page: z.int().min(0).max(MAX_PAGE).default(0),
});

/** A hundred ranks as they were in the end. Who was disqualified since, or is banned, leaves a gap. */
export const SeasonPage = z.object({
  rows: z.array(Row),
  /** Absent when there is no more; what follows a page that is just full may be empty. */
  nextPage: z.int().optional(),
});
export type SeasonPage = z.infer<typeof SeasonPage>;

export const ResultsRequest = z.object({
  board: BoardId,
  limit: z.int().min(1).max(100).default(20),
  cursor: Cursor.optional(),
});

/** How the caller has ended the seasons of a board, the latest first. */
export const Results = z.object({
  results: z.array(
    z.object({
      period: PeriodName,
      season: z.string(),
      /** Milliseconds since the epoch. */
      endedAt: z.int(),
      /** Absent if the caller's rank is not among those that are kept, and there was a prize all the same. */
      rank: z.int().optional(),
      score: z.int(),
      subscore: z.int().optional(),
      /** Prizes, with the rank that each was for. What has failed could not be given. */
      prizes: z.array(
        z.object({
          scope: z.enum(["global", "country", "group"]),
          rank: z.int(),
          state: z.enum(["given", "failed", "taken-back"]),
        }),
      ),
      disqualified: z.boolean(),
      /** In a league: the rank in the cohort, and the tier before and after. */
      league: z.object({ tier: z.int(), rank: z.int(), tierAfter: z.int() }).optional(),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type Results = z.infer<typeof Results>;

const Note = z.string().min(1).max(400);
const User = z.string().refine(isUid, "must be a user's id");
const MAX_SEASONS = 20;

export const DisqualifyRequest = z.object({
  board: BoardId,
  user: User,
  /** Why, for those who read it later. */
  note: Note,
  /** Seasons that are over and that the player is to be struck out of, too. */
  seasons: z
    .array(z.object({ period: PeriodName, season: SeasonName }))
    .max(MAX_SEASONS)
    .default([]),
});

/** Which seasons the player was struck out of, and how many prizes were taken back. */
export const Disqualified = z.object({ seasons: z.array(z.string()), prizesTakenBack: z.int() });
export type Disqualified = z.infer<typeof Disqualified>;

export const ReinstateRequest = z.object({ board: BoardId, user: User, note: Note });
export const Reinstated = z.object({ user: z.string() });
export type Reinstated = z.infer<typeof Reinstated>;
