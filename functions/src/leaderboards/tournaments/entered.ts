import { Failure } from "../../platform/failure.ts";
import type { Player } from "../records.ts";
import type { Board } from "../settings.ts";

/** Refuses a score that no tournament takes: `not-entered`, `tournament-not-on`. Other boards take those of everybody. */
export function checkEntered({ tournament }: Board, player: Player | undefined, { at }: { at: number }): void {
  if (!tournament) return;
  if (!isIn(player)) {
    throw new Failure("failed-precondition", "Join the tournament first.", { reason: "not-entered" });
  }
  const { startsAt, endsAt } = tournament;
  if (at >= startsAt && at < endsAt) return;
  throw new Failure("failed-precondition", "The tournament is not played at this time.", {
    reason: "tournament-not-on",
    startsAt,
    endsAt,
  });
}

/** Whether a player has joined and not left. */
export function isIn(player: Player | undefined): boolean {
  return player?.entry?.paid !== undefined;
}
