import { LRUCache } from "lru-cache";
import { now } from "../../platform/clock.ts";
import type { Row } from "../contract.ts";
import { seasonAt, slotOf } from "../periods.ts";
import { nameOf, ORDER_FIELD, orderOf, placeOf, type Scope } from "../place.ts";
import type { Player } from "../records.ts";
import type { Board } from "../settings.ts";
import { slotIn, type View } from "../view.ts";

/** How many of a season are shown live. */
export const SHOWN = 100;
/** A page that was read longer ago says nothing. */
const TRUSTED_MILLIS = 30_000;
const MAX_BARS = 2_000;

interface Bar {
  readonly order: string;
  readonly until: number;
}

/** What sorts the last who is shown, by board, scope and period, as far as a page that was asked for here has told. */
const bars = new LRUCache<string, Bar>({ max: MAX_BARS });

/** Takes from the first page of a view what it takes to be on it. */
export function noteBar({ id, board, period, season, scope }: View, rows: readonly Row[]): void {
  const last = rows.length === SHOWN ? rows.at(-1) : undefined;
  if (!last) return;
  const place = placeOf(board, { score: last.score, sub: last.subscore, at: last.at });
  const order = orderOf({ season: season.key, scope, place, player: last.player });
  bars.set(keyOf(id, scope, period), { order, until: now() + TRUSTED_MILLIS });
}

/**
 * Whether somebody whose document was written may be among those who are shown, or may have been. Where scores can get worse nothing is
 * known of those who were.
 */
export function mayShow({ id, board, player }: { id: string; board: Board; player: Player }, scope: Scope): boolean {
  if (board.policy !== "best") return true;
  const time = now();
  return board.periods.some((period) => {
    const bar = bars.get(keyOf(id, scope, period));
    if (!bar || bar.until <= time) return true;
    const season = seasonAt(period, time, board);
    const order = slotIn({ slot: slotOf(period, season), season }, player)?.[ORDER_FIELD[scope.kind]];
    return order !== undefined && (order <= bar.order || !bar.order.startsWith(`${season.key}|`));
  });
}

/** Forgets all, as a new instance. For tests. */
export function forgetBars(): void {
  bars.clear();
}

function keyOf(board: string, scope: Scope, period: string): string {
  return `${board} ${nameOf(scope)} ${period}`;
}
