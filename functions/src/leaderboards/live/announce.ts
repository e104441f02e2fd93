import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { now } from "../../platform/clock.ts";
import { hasDatabase } from "../../platform/database.ts";
import { deterministicId } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { enqueue } from "../../platform/tasks.ts";
import { GLOBAL, nameOf, type Scope } from "../place.ts";
import type { Player } from "../records.ts";
import type { Board } from "../settings.ts";
import { mayShow } from "./bars.ts";

/** The first of a board are brought up to date this often at most. */
export const SLOT_SECONDS = 30;
const SLOT_MILLIS = SLOT_SECONDS * 1_000;
export const LIVE_QUEUE = "liveBoards";
const MAX_REMEMBERED = 10_000;
/** Longer than that no score waits for Cloud Tasks. */
const PATIENCE_MILLIS = 1_000;

/** The slot that was last announced from here, by board and scope: of the many scores of a slot one puts a task on the queue. */
const announced = new LRUCache<string, number>({ max: MAX_REMEMBERED });

/** What was written. */
export interface Written {
  /** Of the board. */
  readonly id: string;
  readonly board: Board;
  readonly player: Player;
}

/**
 * Has the live boards that a player may be on brought up to date at the end of the slot that is on, after their document was written. A call
 * to Cloud Tasks once in a slot for each instance, board and scope. Never fails: what is not announced is shown with the next score.
 */
export async function announce(written: Written): Promise<void> {
  const { id, board, player } = written;
  if (!hasDatabase()) return;
  const scopes = scopesOf(board, player).filter((scope) => isUnannounced(id, scope) && mayShow(written, scope));
  await Promise.all(scopes.map((scope) => announceScope(id, scope)));
}

/** The same for somebody who is not shown any more, or in another way, whatever their scores are. */
export async function announceChange({ id, board, player }: Written): Promise<void> {
  if (!hasDatabase()) return;
  await Promise.all(scopesOf(board, player).map((scope) => announceScope(id, scope)));
}

async function announceScope(board: string, scope: Scope): Promise<void> {
  if (!isUnannounced(board, scope)) return;
  const { slot, endsAt } = slotOf(board, scope);
  announced.set(rememberedAs(board, scope), slot);
  const name = `${deterministicId("live", board, nameOf(scope))}-${slot}`;
  const delaySeconds = Math.max(0, Math.ceil((endsAt - now()) / 1_000));
  const ended = new AbortController();
  const enqueued = enqueue(LIVE_QUEUE, { name, data: { board, scope }, delaySeconds })
    .catch((error: unknown) => {
      log.warn("live board not announced", { board, message: error instanceof Error ? error.message : String(error) });
    })
    .finally(() => ended.abort());
  await Promise.race([enqueued, sleep(PATIENCE_MILLIS, undefined, { signal: ended.signal }).catch(() => undefined)]);
}

function isUnannounced(board: string, scope: Scope): boolean {
  return announced.get(rememberedAs(board, scope)) !== slotOf(board, scope).slot;
}

/** Slots of different boards begin at different times, so that not all come at once. */
function slotOf(board: string, scope: Scope): { slot: number; endsAt: number } {
  const shift = shiftOf(`${board} ${nameOf(scope)}`);
  const slot = Math.floor((now() + shift) / SLOT_MILLIS);
  return { slot, endsAt: (slot + 1) * SLOT_MILLIS - shift };
}

function shiftOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum = (sum * 31 + text.charCodeAt(i)) % SLOT_MILLIS;
  return sum;
}

/** Those that are shown live and that a player is in, by any of their slots. */
function scopesOf({ live }: Board, player: Player): Scope[] {
  const scopes: Scope[] = live.includes("global") ? [GLOBAL] : [];
  for (const kind of ["country", "group"] as const) {
    if (!live.includes(kind)) continue;
    for (const id of idsOf(player, kind)) scopes.push({ kind, id });
  }
  return scopes;
}

function idsOf(player: Player, kind: "country" | "group"): Set<string> {
  const { d0, d1, w0, w1, m0, m1, a0, a1, c0, c1, r0, r1 } = player;
  const ids = new Set<string>();
  for (const slot of [d0, d1, w0, w1, m0, m1, a0, a1, c0, c1, r0, r1]) {
    const id = slot?.[kind];
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function rememberedAs(board: string, scope: Scope): string {
  return `${board} ${nameOf(scope)}`;
}

/** Forgets what was announced, as a new instance. For tests. */
export function forgetAnnounced(): void {
  announced.clear();
}
