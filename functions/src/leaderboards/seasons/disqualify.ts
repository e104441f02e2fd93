import type * as z from "zod";
import { writeDown } from "../../platform/audit.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { fingerprint } from "../../platform/ids.ts";
import { log } from "../../platform/log.ts";
import { boardOf } from "../board.ts";
import { changePlayer } from "../change-player.ts";
import { sortedAnew } from "../enter.ts";
import type { Player } from "../records.ts";
import type { Disqualified, DisqualifyRequest, Reinstated, ReinstateRequest } from "./contract.ts";
import { seasonId } from "./records.ts";
import { forgetPages, prepareStrike } from "./strike.ts";

/**
 * Takes a player off a board, whatever they submit from then on, until they are reinstated; and out of seasons that are over, as far as
 * they are named, or are just being closed. There the ranks of the others stay as they are, since prizes and notices went by them, and a gap is
 * left. Prizes of these seasons are taken back, as a debt where they have been spent. Again: only what is new.
 *
 * Bill: a read for the player and each season that is being closed, and for each of the seasons a read for the result and the page, and what
 * taking a prize back costs; a write for each of these and the entry in `audit/`. Refuses `unknown-board`.
 */
export async function disqualify(
  caller: Caller,
  { board: id, user, note, seasons }: z.output<typeof DisqualifyRequest>,
): Promise<Disqualified> {
  const board = await boardOf(id);
  const at = now();
  const done = await changePlayer({ id, board, player: user }, async (tx, player) => {
    const named = seasons.map(({ period, season }) => seasonId(period, season));
    const strike = await prepareStrike(tx, { board: id, user, player, seasons: named });
    strike.write();
    const details = { seasons: strike.seasons, transactions: strike.transactions };
    writeDeed(tx, { by: caller.uid, action: "leaderboards/disqualify", board: id, user, note, at, details });
    return { after: player && sortedAnew(board, { ...player, hidden: "disqualified" }), result: strike };
  });
  await forgetPages(id, done.pages);
  log.info("player disqualified", { board: id, user, by: caller.uid });
  return { seasons: done.seasons, prizesTakenBack: done.transactions.length };
}

/**
 * Ranks a player again who was disqualified, with the scores that they have in seasons that are on. What was struck out and taken back stays
 * so. 2 writes and a read. Refuses `unknown-board`, `not-disqualified`.
 */
export async function reinstate(
  caller: Caller,
  { board: id, user, note }: z.output<typeof ReinstateRequest>,
): Promise<Reinstated> {
  const board = await boardOf(id);
  const at = now();
  await changePlayer({ id, board, player: user }, async (tx, player) => {
    if (player?.hidden !== "disqualified") throw notDisqualified();
    const { hidden: _, ...shown }: Player = player;
    writeDeed(tx, { by: caller.uid, action: "leaderboards/reinstate", board: id, user, note, at, details: {} });
    return { after: sortedAnew(board, shown), result: undefined };
  });
  log.info("player reinstated", { board: id, user, by: caller.uid });
  return { user };
}

interface BoardDeed {
  readonly by: string;
  readonly action: string;
  readonly board: string;
  readonly user: string;
  readonly note: string;
  readonly at: number;
  readonly details: Record<string, string[]>;
}

function writeDeed(tx: Transaction, { by, action, board, user, note, at, details }: BoardDeed): void {
  const subject = `leaderboards/${board}/players/${user}`;
  writeDown(tx, { key: `${board} ${user} ${at} ${fingerprint(details)}`, by, action, subject, note, details });
}

function notDisqualified(): Failure {
  return new Failure("failed-precondition", "The player is not disqualified on this board.", {
    reason: "not-disqualified",
  });
}
