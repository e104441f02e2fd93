import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

export const SessionState = z.enum(["open", "finished", "expired"]);
export type SessionState = z.infer<typeof SessionState>;

/** How long a session is kept after its start; longer than any token lasts. */
export const KEEP_MILLIS = 7 * 86_400_000;

/** `games/{session}`: one time that somebody plays. The id follows from the user and the key of their request. */
export const Session = z.object({
  user: z.string(),
  game: z.string(),
  /** The leaderboard that its score may be submitted to. */
  board: z.string().optional(),
  /** `expired`: closed because its user has begun others. One that is past `tokenExpiresAt` is over, too, and is not written for that. */
  state: SessionState,
  /** Of the request that began it. */
  fingerprint: z.string(),
  startedAt: Moment,
  /** The session is over then, and its token. */
  tokenExpiresAt: Moment,
  score: z.int().optional(),
  finishedAt: Moment.optional(),
  /** Fingerprint of the events that came with the final score. */
  lastEvents: z.string().optional(),
  /** The score that was submitted to the leaderboard, as which attempt. */
  use: z.object({ attempt: z.string(), score: z.int(), at: Moment }).optional(),
  /** Firestore's TTL policy deletes it after this. */
  expiresAt: Moment,
});
export type Session = z.infer<typeof Session>;

export const sessions = () => collection("games", Session);

/** `games/{session}/events/{n}`: a part of the session's log; `n` has two digits, so that ids sort as numbers do. */
const Chunk = z.object({
  print: z.string(),
  /** See event-log.ts. */
  zipped: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  at: Moment,
  /** Of its session: another says that it is left from an earlier session of the same id, whose record was deleted sooner. */
  startedAt: Moment,
  /** Firestore's TTL policy deletes it after this. Not `expiresAt`, since the policy is for every collection called `events`. */
  keptUntil: Moment,
});
export type Chunk = z.infer<typeof Chunk>;

export const chunks = (session: string) => collection(`games/${session}/events`, Chunk);

export const chunkId = (chunk: number) => String(chunk).padStart(2, "0");

/** How many sessions a user has open at a time. */
export const MAX_OPEN = 5;

/** `users/{uid}/play/sessions`: what bounds how many sessions a user begins. */
const Play = z.object({
  /** The latest, oldest first, except those that were seen to be over. */
  latest: z.array(z.object({ session: z.string(), tokenExpiresAt: Moment })).max(MAX_OPEN),
  /** Sessions begun on `day`, as 2026-01-31 UTC. */
  today: z.int().nonnegative(),
  day: z.string(),
});
export type Play = z.infer<typeof Play>;

const PLAY_ID = "sessions";

export const play = (uid: string) => collection(`users/${uid}/play`, Play).doc(PLAY_ID);
