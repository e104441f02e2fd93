import { Failure } from "../../platform/failure.ts";
import { type Period, type Season, seasonNumbered, slotOf } from "../periods.ts";
import type { Player, Slot } from "../records.ts";
import type { Board } from "../settings.ts";

/** The player's first score of a season in a league needs a seat in a cohort first; see `seat.ts`. */
export class NeedsSeat extends Error {
  override readonly name = "NeedsSeat";
  readonly season: Season;
  readonly tier: number;

  constructor(season: Season, tier: number) {
    super(`there is no seat yet in season ${season.key}`);
    this.season = season;
    this.tier = tier;
  }
}

/**
 * Where the player's cohort stands in a new slot: as its group. Refuses `season-closing` while it is not sure which tier they are of; throws
 * {@link NeedsSeat}.
 */
export function cohortFor(
  board: Board,
  { period, season }: { period: Period; season: Season },
  { cohort }: { cohort?: { readonly season: string; readonly id: string } },
  player: Player,
): Pick<Slot, "group"> {
  if (board.league?.period !== period) return {};
  if (cohort?.season === season.key) return { group: cohort.id };
  checkPromoted(board, season, player);
  throw new NeedsSeat(season, tierOf(board, player));
}

/** The tier that a player is of, though the board may have had more. */
export function tierOf({ league }: Board, player: Player | undefined): number {
  return Math.min(player?.tier ?? 1, league?.tiers ?? 1);
}

/** @param n counted from 1 */
export function cohortId(tier: number, n: number): string {
  return `${tier}-${n}`;
}

/** Whoever has played the season before plays this one in the tier that they have come to by that. */
function checkPromoted(board: Board, season: Season, player: Player): void {
  const period = board.league?.period;
  if (period === undefined || season.number === 0) return;
  const before = seasonNumbered(period, season.number - 1, board);
  const hasPlayed = player[slotOf(period, before)]?.season === before.key;
  if (!hasPlayed || (board.closedThrough?.[period] ?? before.number) >= before.number) return;
  throw new Failure("unavailable", "The season before is being closed; submit this again later.", {
    reason: "season-closing",
  });
}
