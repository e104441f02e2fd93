import * as z from "zod";
import { keepable } from "../platform/keepable.ts";
import { BoardSettings, PeriodName } from "./settings.ts";

export const BoardId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^(?!__.*__$)[\w-]+$/, "must be letters, digits, hyphens and underscores");

const MAX_METADATA_BYTES = 1_024;

export const SubmitRequest = z.object({
  board: BoardId,
  /** Of a board that ranks ratios: what is divided. */
  score: z.int(),
  /** What it is divided by, as the stake of a bet; on such boards only. */
  of: z.int().positive().max(1_000_000_000).optional(),
  /** On boards that have one; 0 unless said otherwise. */
  subscore: z.int().optional(),
  /** Made up by the app for each attempt; sending the same attempt again changes nothing. */
  attempt: z.string().min(8).max(64).refine(isText, "must be Unicode"),
  /** When it was played, in milliseconds since the epoch, if that is not now. */
  playedAt: z.int().optional(),
  /** The token of the game's session; where boards require one. Then `playedAt` is when the session was finished, and is not given. */
  session: z.string().max(2_000).optional(),
  /** Is shown with the score: an object of JSON, of 1 KB and eight levels at most, without lists in lists. */
  metadata: keepable(MAX_METADATA_BYTES).optional(),
});

/** Half a character would come back from Firestore as another one, and be another attempt. */
function isText(id: string): boolean {
  return id.isWellFormed();
}

const Best = z.object({
  season: z.string(),
  /** Null if the player has no score in the season. */
  score: z.int().nullable(),
  improved: z.boolean(),
});

/** The player's score in each period's season after the submission, and whether this attempt changed it. */
export const Submitted = z.object({
  bests: z.partialRecord(PeriodName, Best),
  /** Whether the same attempt had been submitted before. */
  repeated: z.boolean(),
  /** Whether it counts only once somebody has looked at it. */
  inReview: z.boolean(),
});
export type Submitted = z.infer<typeof Submitted>;

/** Everybody together, or only those of a country or a group. */
export const Scope = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("global") }),
  z.object({ kind: z.literal("country"), id: z.string().regex(/^[A-Z]{2}$/, "must be a country's two letters") }),
  z.object({ kind: z.literal("group"), id: z.string().regex(/^[\w-]{1,128}$/, "must be a group's id") }),
]);
const ScopeName = Scope.default({ kind: "global" });

export const Row = z.object({
  rank: z.int().positive(),
  /** Empty, as is the name, of who was erased after a season had ended. */
  player: z.string(),
  name: z.string(),
  picture: z.string().optional(),
  country: z.string().optional(),
  /** Of a ratio in millionths. */
  score: z.int(),
  subscore: z.int().optional(),
  /** When the score was reached, in milliseconds since the epoch. */
  at: z.int(),
  metadata: z.record(z.string(), z.json()).optional(),
  /** Of a rank above 10,000 that was not counted: off by no more than the scores that were submitted in the last minutes. */
  approximate: z.literal(true).optional(),
});
export type Row = z.infer<typeof Row>;

export const PageRequest = z.object({
  board: BoardId,
  period: PeriodName,
  scope: ScopeName,
  /** `nextCursor` of the page before; it also carries the rank that the page starts with. */
  cursor: z.string().max(600).optional(),
});

export const Page = z.object({
  season: z.string(),
  rows: z.array(Row).max(100),
  /** Absent when there is no more; what follows a page that is just full may be empty. */
  nextCursor: z.string().optional(),
});
export type Page = z.infer<typeof Page>;

export const StandingRequest = z.object({
  board: BoardId,
  period: PeriodName,
  scope: ScopeName,
  /** How many players above and below to return. */
  neighbours: z.int().min(0).max(10).default(2),
});

const Score = z.object({ season: z.string(), score: z.int(), subscore: z.int().optional(), at: z.int() });

/** Where the caller stands: rank among how many, and who is next to them, the caller included. No rank without a score that is ranked. */
export const Standing = z.object({
  season: z.string(),
  of: z.int().nonnegative(),
  rank: z.int().positive().optional(),
  /** The share of players, in percent, whom the caller is at least as good as: 100 for the first. */
  percentile: z.number().min(0).max(100).optional(),
  /** `of`, or the rank, is above 10,000 and was not counted; see the rows. */
  approximate: z.literal(true).optional(),
  score: z.int().optional(),
  /** What the caller has in the season that is on of every period of the board. */
  bests: z.partialRecord(PeriodName, Score),
  neighbours: z.array(Row),
});
export type Standing = z.infer<typeof Standing>;

export const RanksRequest = z.object({
  board: BoardId,
  period: PeriodName,
  scope: ScopeName,
  players: z.array(z.string().min(1).max(128)).min(1).max(100),
});

/** Who of the players is ranked, in the order in which they were named. */
export const Ranks = z.object({ season: z.string(), rows: z.array(Row) });
export type Ranks = z.infer<typeof Ranks>;

export const FriendsRequest = z.object({ board: BoardId, period: PeriodName });

/** The caller and their friends, as far as they are ranked, by rank among themselves. */
export const Friends = z.object({ season: z.string(), rows: z.array(Row) });
export type Friends = z.infer<typeof Friends>;

export const ListRequest = z.object({
  limit: z.int().min(1).max(100).default(20),
  /** `nextCursor` of the list before. */
  cursor: BoardId.optional(),
});

export const BoardList = z.object({
  boards: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      timeZone: z.string(),
      order: z.enum(["descending", "ascending"]),
      scopes: z.array(z.string()),
      /** The season that is on of each period: its name, and when it began and ends in milliseconds since the epoch, if it does. */
      seasons: z.partialRecord(
        PeriodName,
        z.object({ season: z.string(), startsAt: z.int().optional(), endsAt: z.int().optional() }),
      ),
    }),
  ),
  nextCursor: z.string().optional(),
});
export type BoardList = z.infer<typeof BoardList>;

export const WithdrawRequest = z.object({ board: BoardId });
export const Withdrawn = z.object({
  /** Whether there was anything to withdraw. */
  withdrawn: z.boolean(),
});
export type Withdrawn = z.infer<typeof Withdrawn>;

export const DefineBoard = z.object({ id: BoardId, board: BoardSettings });
export const DefinedBoard = z.object({ id: z.string() });
