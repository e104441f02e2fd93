import { LRUCache } from "lru-cache";
import type { Timestamp } from "../platform/firestore.ts";
import type { Player } from "./records.ts";

/**
 * Players' documents as this instance has last seen them. Who relies on one writes on condition that it has not been changed since, so what
 * is remembered wrongly costs a try and never a score. Where other instances serve the same players most of it is wrong: after each
 * disappointment nothing is relied on until so many, read anyway, were found as they were remembered.
 */
const MAX_REMEMBERED = 5_000;
const FOUND_AGAIN = 64;

/** A player's document, and when it was last written. */
export interface Seen {
  readonly player: Player;
  readonly version: Timestamp;
}

const seen = new LRUCache<string, Seen>({ max: MAX_REMEMBERED });
let doubts = 0;

/** A document that can be relied on. @param path as `leaderboards/{board}/players/{uid}` */
export function recall(path: string): Seen | undefined {
  return doubts === 0 ? seen.get(path) : undefined;
}

export function remember(path: string, document: Seen): void {
  seen.set(path, document);
}

/** What is remembered of a player is known not to be so any more. */
export function forgetPlayer(path: string): void {
  seen.delete(path);
}

/** Compares what is remembered with what was just read. */
export function compare(path: string, version: Timestamp | undefined): void {
  const known = seen.get(path);
  if (!known) return;
  if (version && known.version.isEqual(version)) {
    if (doubts > 0) doubts--;
  } else disappointed(path);
}

/** Something was not as it was remembered. */
export function disappointed(path: string): void {
  seen.delete(path);
  doubts = FOUND_AGAIN;
}

/** Forgets everything, as a new instance. For tests. */
export function forgetPlayers(): void {
  seen.clear();
  doubts = 0;
}
