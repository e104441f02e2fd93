import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";
import { Board } from "./settings.ts";

export const boards = () => collection("leaderboards", Board);

/** What a player has of one season: the score that is ranked, and what it came from. */
export const Slot = z.object({
  season: z.string(),
  /** Of a ratio in millionths, rounded. */
  score: z.int(),
  sub: z.int().optional(),
  /** When the score was reached. */
  at: Moment,
  /** How often was submitted; kept where the board counts attempts or samples. */
  count: z.int().positive().optional(),
  /** Of a ratio: what was submitted, added up. */
  sum: z.int().optional(),
  of: z.int().optional(),
  /** Fixed at the player's first score of the season. */
  country: z.string().optional(),
  group: z.string().optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  /** Sorts the players of a season by rank, of a country, of a group; absent for who is not ranked. Indexed; see `place.ts`. */
  order: z.string().optional(),
  countryOrder: z.string().optional(),
  groupOrder: z.string().optional(),
});
export type Slot = z.infer<typeof Slot>;

/** What a player has to do with a tournament. Who is in it has paid something, or 0 where there is no fee. */
export const Entry = z.object({
  /** How often the player has joined. */
  times: z.int().positive(),
  paid: z.int().nonnegative().optional(),
  at: Moment.optional(),
  /** The transaction of the ledger that paid the fee. */
  transaction: z.string().optional(),
  /** Where the place was taken, if there are only so many. */
  picked: z.record(z.string(), z.int().positive()).optional(),
});
export type Entry = z.infer<typeof Entry>;

/** What a player has of one day, for `rolling`. */
export const Day = Slot.pick({ score: true, sub: true, at: true, count: true, sum: true, of: true });
export type Day = z.infer<typeof Day>;

/**
 * `leaderboards/{board}/players/{uid}`: all that a board knows of a player, in one document, so that a score costs one write
 * whatever the number of periods. Each period has two slots, used in turn: the season that has just ended keeps its score
 * while the next begins.
 */
export const Player = z.object({
  /** The id, once more: what all boards of a player are found by. Indexed over all boards. */
  player: z.string(),
  name: z.string(),
  picture: z.string().optional(),
  country: z.string().optional(),
  group: z.string().optional(),
  /** Why the player is not ranked. Who is hidden in the shadow does not notice. */
  hidden: z.enum(["banned", "shadow", "disqualified"]).optional(),
  /** The last ones; see `attempts.ts`. */
  attempts: z.string(),
  entry: Entry.optional(),
  /** Of a league; 1 until the player was promoted. */
  tier: z.int().positive().optional(),
  d0: Slot.optional(),
  d1: Slot.optional(),
  w0: Slot.optional(),
  w1: Slot.optional(),
  m0: Slot.optional(),
  m1: Slot.optional(),
  a0: Slot.optional(),
  a1: Slot.optional(),
  c0: Slot.optional(),
  c1: Slot.optional(),
  r0: Slot.optional(),
  r1: Slot.optional(),
  /** The days that `rolling` goes over, by their date. */
  days: z.record(z.string(), Day).optional(),
  /** The day after which the oldest of them counts no more; indexed. */
  agesOn: z.string().optional(),
});
export type Player = z.infer<typeof Player>;

export const SLOT_NAMES = ["d0", "d1", "w0", "w1", "m0", "m1", "a0", "a1", "c0", "c1", "r0", "r1"] as const;
export type SlotName = (typeof SLOT_NAMES)[number];

/** `leaderboards/{board}/pending/{id}`: a score that counts once somebody has looked at it. */
export const Pending = z.object({
  player: z.string(),
  attempt: z.string(),
  score: z.int(),
  sub: z.int().optional(),
  of: z.int().optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  at: Moment,
  /** Of the sign-in provider, for a player without a profile. */
  name: z.string().optional(),
  /** `refused`: approved, but the board does not take it; `why` is the reason. */
  state: z.enum(["open", "entered", "rejected", "refused"]),
  why: z.string().optional(),
});
export type Pending = z.infer<typeof Pending>;

export const pending = (board: string) => collection(`leaderboards/${board}/pending`, Pending);

export const players = (board: string) => collection(`leaderboards/${board}/players`, Player);

/** How many players are in front of each of some places in an order; -1: not counted yet. */
export const Buckets = z.object({
  /** When counting began. */
  since: Moment,
  /** Where buckets begin, as `place.ts` writes places; the first also takes in who is in front of it. */
  places: z.array(z.string()),
  counts: z.array(z.int()),
});
export type Buckets = z.infer<typeof Buckets>;

/** `leaderboards/{board}/histograms/{period}-{season}{scope}`: how the players of a season spread, for ranks that nobody counts. */
export const Histogram = z.object({
  done: Buckets.optional(),
  /** What is being counted: in which ten minutes that was begun, and where the last bucket ends for the purpose of splitting it. */
  making: Buckets.extend({ slot: z.int(), end: z.string() }).optional(),
});
export type Histogram = z.infer<typeof Histogram>;

export const histograms = (board: string) => collection(`leaderboards/${board}/histograms`, Histogram);
