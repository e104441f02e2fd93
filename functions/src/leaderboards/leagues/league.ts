import type * as z from "zod";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { boardOf } from "../board.ts";
import { seasonShown, slotOf } from "../periods.ts";
import { following } from "../ranked.ts";
import { players } from "../records.ts";
import { slotIn } from "../view.ts";
import { tierOf } from "./cohort.ts";
import type { LeagueRequest, LeagueStanding } from "./contract.ts";

/** The caller's tier, and the cohort that they play in. A read for the caller and each player of it. Refuses `unknown-board`, `unknown-period`. */
export async function league(caller: Caller, { board: id }: z.output<typeof LeagueRequest>): Promise<LeagueStanding> {
  const board = await boardOf(id);
  if (!board.league) throw new Failure("not-found", "The board is no league.", { reason: "unknown-period" });
  const { period, tiers, size, promote, demote } = board.league;
  const season = seasonShown(period, now(), board);
  const slot = slotOf(period, season);
  const player = (await players(id).doc(caller.uid).get()).data();
  const cohort = slotIn({ slot, season }, player)?.group;
  const view = { id, board, period, season, slot, scope: { kind: "group", id: cohort ?? "" } } as const;
  const { rows } = cohort === undefined ? { rows: [] } : await following(view, undefined, { rank: 1, limit: size });
  const own = { tier: tierOf(board, player), ...(cohort === undefined ? {} : { cohort }), rows };
  return { season: season.key, endsAt: season.endsAt, tiers, promote, demote, ...own };
}
