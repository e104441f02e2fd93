import * as z from "zod";
import { PERIODS } from "./periods.ts";
import { Board } from "./records.ts";

const BoardId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^(?!__.*__$)[\w-]+$/, "must be letters, digits, hyphens and underscores");
const PeriodName = z.enum(PERIODS);

export const SubmitRequest = z.object({
  board: BoardId,
  score: z.int(),
  /** Made up by the app for each attempt; sending the same attempt again changes nothing. */
  attempt: z.string().min(8).max(64),
});

const Best = z.object({
  season: z.string(),
  /** Null if the player has no score in the season that is on now. */
  score: z.int().nullable(),
  improved: z.boolean(),
});

/** The player's best of each period after the submission, and whether this attempt raised it. */
export const Submitted = z.object({
  daily: Best,
  weekly: Best,
  monthly: Best,
  allTime: Best,
  /** Whether the same attempt had been submitted before. */
  repeated: z.boolean(),
});
export type Submitted = z.infer<typeof Submitted>;

const Row = z.object({
  rank: z.int().positive(),
  player: z.string(),
  name: z.string(),
  picture: z.string().optional(),
  score: z.int(),
  /** When the score was reached, in milliseconds since the epoch. */
  at: z.int(),
});
export type Row = z.infer<typeof Row>;

export const PageRequest = z.object({
  board: BoardId,
  period: PeriodName,
  /** `nextCursor` of the page before; it also carries the rank that the page starts with. */
  cursor: z.string().max(400).optional(),
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
  /** How many players above and below to return. */
  neighbours: z.int().min(0).max(10).default(2),
});

/** Where the caller stands: rank among how many, and who is next to them, the caller included. Absent without a score. */
export const Standing = z.object({
  season: z.string(),
  of: z.int().nonnegative(),
  rank: z.int().positive().optional(),
  score: z.int().optional(),
  neighbours: z.array(Row),
});
export type Standing = z.infer<typeof Standing>;

export const DefineBoard = z.object({ id: BoardId, board: Board });
export const DefinedBoard = z.object({ id: z.string() });
