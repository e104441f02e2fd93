import * as z from "zod";
import { DocumentId } from "../platform/ids.ts";
import { Event, MAX_CHUNKS, MAX_EVENTS } from "./event-log.ts";
import { SessionState } from "./records.ts";

const MAX_PAGE = 100;
const MINUTE = 60;
const DAY = 86_400;

/** What the app calls a game, or a board. */
const Name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^(?!__.*__$)[\w-]+$/, "must be letters, digits, hyphens and underscores");

export const StartRequest = z.object({
  game: Name,
  /** The leaderboard that its score is for; a session that names none is good for none. */
  board: Name.optional(),
  /** Made up by the app for each session; asking again under it begins no other, for seven days at least. */
  key: z.string().min(8).max(64),
  /** How long the session and its token last. */
  lifetimeSeconds: z
    .int()
    .min(MINUTE)
    .max(DAY)
    .default(2 * 3_600),
});

export const Started = z.object({
  session: z.string(),
  /** Shows to a leaderboard that a score comes from this session; only letters that need no escaping in URLs. */
  token: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: z.int(),
  /** When session and token are over. */
  expiresAt: z.int(),
});
export type Started = z.infer<typeof Started>;

/** A part of what happened, by its place: the first is 0. As JSON a megabyte at most, and 200 KB compressed. */
const Chunk = z.object({
  chunk: z
    .int()
    .min(0)
    .max(MAX_CHUNKS - 1),
  events: z.array(Event).min(1).max(MAX_EVENTS),
});

export const AppendRequest = Chunk.extend({ session: DocumentId });

export const Appended = z.object({
  chunk: z.int(),
  /** What it takes compressed. */
  bytes: z.int(),
});
export type Appended = z.infer<typeof Appended>;

export const FinishRequest = z.object({
  session: DocumentId,
  score: z.int(),
  /** The last part of the log, if there is more to tell. */
  events: Chunk.optional(),
});

/** A session that is finished. Times are milliseconds since the epoch. */
export const Result = z.object({
  session: z.string(),
  game: z.string(),
  board: z.string().optional(),
  score: z.int(),
  startedAt: z.int(),
  finishedAt: z.int(),
});
export type Result = z.infer<typeof Result>;

const Page = {
  limit: z.int().min(1).max(MAX_PAGE).default(20),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(200).optional(),
};

export const ResultsRequest = z.object({ game: Name, ...Page });

/** The caller's finished sessions of a game, as far as they are kept, which is for seven days; the highest score first. */
export const Results = z.object({ results: z.array(Result), nextCursor: z.string().optional() });
export type Results = z.infer<typeof Results>;

export const ListRequest = z.object({ game: Name, ...Page });

/** Everybody's. */
export const List = z.object({
  results: z.array(Result.extend({ user: z.string() })),
  nextCursor: z.string().optional(),
});
export type List = z.infer<typeof List>;

export const EventsRequest = z.object({
  session: DocumentId,
  /** How many chunks; each is up to a megabyte. */
  limit: z.int().min(1).max(5).default(1),
  /** `nextCursor` of the page before. */
  cursor: z
    .int()
    .min(0)
    .max(MAX_CHUNKS - 1)
    .optional(),
});

/** The session, and a page of what happened in it, in the order of its chunks. */
export const Events = z.object({
  user: z.string(),
  game: z.string(),
  state: SessionState,
  score: z.int().optional(),
  /** The attempt that it was submitted to its leaderboard as. */
  attempt: z.string().optional(),
  chunks: z.array(
    z.object({
      chunk: z.int(),
      /** When it came, in milliseconds since the epoch. */
      at: z.int(),
      events: z.array(z.unknown()),
    }),
  ),
  nextCursor: z.int().optional(),
});
export type Events = z.infer<typeof Events>;
