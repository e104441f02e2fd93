import * as z from "zod";
import { collection, Moment } from "../platform/firestore.ts";

/** `leaderboards/{board}`: what a board ranks and what it accepts. Written by operators. */
export const Board = z
  .object({
    title: z.string().min(1).max(200),
    /** IANA name of the zone by whose calendar seasons begin and end. */
    timeZone: z.string().refine(isTimeZone, "must be the name of a time zone, as Europe/Berlin"),
    /** Scores outside of these are refused. Whole numbers. */
    minScore: z.int(),
    maxScore: z.int(),
  })
  .refine(({ minScore, maxScore }) => minScore <= maxScore, {
    path: ["maxScore"],
    error: "must not be below minScore",
  });
export type Board = z.infer<typeof Board>;

export const boards = () => collection("leaderboards", Board);

/** A player's best score of one season. */
export const Slot = z.object({
  season: z.string(),
  score: z.int(),
  at: Moment,
  /** Sorts the players of a season by rank; the only field of a slot that is indexed. See `rank.ts`. */
  order: z.string(),
});
export type Slot = z.infer<typeof Slot>;

/** How many attempts a player's document remembers, to know a repeated submission. */
export const REMEMBERED_ATTEMPTS = 32;

const Attempt = z.object({ id: z.string(), score: z.int() });

/**
 * `leaderboards/{board}/players/{uid}`: all that a board knows of a player, in one document, so that a score costs one write
 * whatever the number of periods. Each period has two slots, used in turn: the season that has just ended keeps its score
 * while the next begins.
 */
export const Player = z.object({
  name: z.string(),
  picture: z.string().optional(),
  attempts: z.array(Attempt).max(REMEMBERED_ATTEMPTS),
  d0: Slot.optional(),
  d1: Slot.optional(),
  w0: Slot.optional(),
  w1: Slot.optional(),
  m0: Slot.optional(),
  m1: Slot.optional(),
  a0: Slot.optional(),
  a1: Slot.optional(),
});
export type Player = z.infer<typeof Player>;
export type SlotName = Exclude<keyof Player, "name" | "picture" | "attempts">;

export const players = (board: string) => collection(`leaderboards/${board}/players`, Player);

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
