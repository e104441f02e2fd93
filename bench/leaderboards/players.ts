import { type Entering, enter, type Face } from "../../functions/src/leaderboards/enter.ts";
import type { Player } from "../../functions/src/leaderboards/records.ts";
import { Board } from "../../functions/src/leaderboards/settings.ts";
import { MAX_SCORE } from "../serving/requests.ts";

/**
 * The board that is measured and who is on it, the same wherever they are. As a board of the peers' it has one season that never ends; the last
 * score counts, so that each that is submitted is written, however many there were before.
 */
export const PERIOD = "allTime";
export const BOARD_SETTINGS: Board = Board.parse({
  title: "Arcade",
  timeZone: "Etc/UTC",
  minScore: 0,
  maxScore: 1_000_000_000,
  periods: [PERIOD],
  policy: "last",
});

const COUNTRIES = ["BR", "DE", "ES", "FR", "ID", "IN", "JP", "KR", "MX", "NG", "PL", "US"];
/** Knuth's factor for hashing: neighbours have scores far apart. */
const SPREAD = 2_654_435_761;

export function idOf(i: number): string {
  return `user-${i}`;
}

export function scoreOf(i: number): number {
  return (Math.imul(i, SPREAD) >>> 0) % MAX_SCORE;
}

/** How a player is shown. */
export function faceOf(i: number): Face {
  const country = COUNTRIES[i % COUNTRIES.length] ?? "";
  return { name: `Player ${i}`, picture: `https://faces.example.com/${i}.webp`, country };
}

/** The document of a player with their first score, as `submit` would write it. @param at when it was reached, in milliseconds since the epoch */
export function playerWith(i: number, score: number, at: number): Player {
  const entering: Entering = { player: idOf(i), attempt: "bench-attempt", score, at, now: at };
  const { player } = enter(BOARD_SETTINGS, undefined, entering, faceOf(i));
  if (!player) throw new Error("a first score changes nothing");
  return player;
}
