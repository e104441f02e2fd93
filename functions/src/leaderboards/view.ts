import { now } from "../platform/clock.ts";
import { Failure } from "../platform/failure.ts";
import { boardAtHand, boardOf } from "./board.ts";
import { type Period, type Season, seasonShown, slotOf } from "./periods.ts";
import type { Scope } from "./place.ts";
import type { Player, SlotName } from "./records.ts";
import type { Board } from "./settings.ts";

/** A season of a board as it is looked at: everybody together, or only those of a country or a group. */
export interface View {
  readonly id: string;
  readonly board: Board;
  readonly period: Period;
  readonly season: Season;
  /** Where players keep what they have in this season. */
  readonly slot: SlotName;
  readonly scope: Scope;
}

/** What an app asks for. */
export interface Wanted {
  readonly board: string;
  readonly period: Period;
  readonly scope: Scope;
}

/** The season that is on. Refuses `unknown-board`, `unknown-period`, `unknown-scope`. */
export async function viewOf(wanted: Wanted): Promise<View> {
  return viewIn(await boardOf(wanted.board), wanted);
}

/** As {@link viewOf}, if the board is at hand. */
export function viewAtHand(wanted: Wanted): View | undefined {
  const board = boardAtHand(wanted.board);
  return board && viewIn(board, wanted);
}

function viewIn(board: Board, { board: id, period, scope }: Wanted): View {
  if (!board.periods.includes(period)) {
    throw new Failure("not-found", "The board does not rank this period.", { reason: "unknown-period" });
  }
  if (scope.kind !== "global" && !board.scopes.includes(scope.kind)) {
    throw new Failure("not-found", "The board does not rank this for itself.", { reason: "unknown-scope" });
  }
  const season = seasonShown(period, now(), board);
  return { id, board, period, season, slot: slotOf(period, season), scope };
}

/** What a player has in the season of a view, ranked or not. */
export function slotIn({ slot, season }: Pick<View, "slot" | "season">, player: Player | undefined): Player[SlotName] {
  const found = player?.[slot];
  return found?.season === season.key ? found : undefined;
}
