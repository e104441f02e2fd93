import { prepareNotice } from "../../notices/index.ts";
import { Failure } from "../../platform/failure.ts";
import { isAlreadyExists, type Transaction, transact } from "../../platform/firestore.ts";
import { keys } from "../../platform/keys/data-keys.ts";
import { log } from "../../platform/log.ts";
import { prepareChanges, type Reward } from "../../rewards/index.ts";
import type { Row } from "../contract.ts";
import { PRIZES } from "../house.ts";
import { resultOf } from "./keep.ts";
import { type Award, type Result, results, type SeasonRecord, seasonId } from "./records.ts";

/** Whoever is to have a prize. */
export interface Winner {
  readonly row: Row;
  readonly scope: Award["scope"];
  /** In the scope. */
  readonly rank: number;
  readonly reward: Reward;
}

/** Winners have accounts of their own, so that they do not stand in each other's way. */
const AT_ONCE = 10;

/** Gives prizes, each for itself; says how many were given, now or before, and how many cannot be. */
export async function awardAll(
  season: SeasonRecord,
  winners: readonly Winner[],
): Promise<{ given: number; failed: number }> {
  const counts = { given: 0, failed: 0 };
  for (let i = 0; i < winners.length; i += AT_ONCE) {
    const states = await Promise.all(winners.slice(i, i + AT_ONCE).map((winner) => award(season, winner)));
    counts.given += states.filter((state) => state === "given").length;
    counts.failed += states.filter((state) => state === "failed").length;
  }
  return counts;
}

/**
 * Gives a prize, once: the player's result says in the same transaction that it was given. What cannot be given (the user is erased, the
 * account is full) is put down there with the reason, and stops nobody else's.
 * Bill: a read for the result, the user's key, and each account and entitlement; a write for the result, the notice, the ledger's transaction
 * and each account, item and entitlement.
 */
async function award(season: SeasonRecord, winner: Winner): Promise<Award["state"] | "struck"> {
  const attempt = () => transact((tx) => give(tx, season, winner));
  try {
    return await attempt().catch((error: unknown) => {
      // Our own commit may have landed without our hearing of it: then the result says so.
      if (!isAlreadyExists(error)) throw error;
      return attempt();
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn("prize not given", { player: winner.row.player, board: season.board, reason: error.reason });
    return await transact((tx) => putDown(tx, { season, winner }, error));
  }
}

/** The idempotency key of a prize. */
function prizeKey({ board, period, season }: SeasonRecord, { scope, row }: Winner): string {
  return JSON.stringify(["prize", board, seasonId(period, season), scope, row.player]);
}

async function give(tx: Transaction, season: SeasonRecord, winner: Winner): Promise<Award["state"] | "struck"> {
  const { scope, rank, reward, row } = winner;
  const known = await read(tx, season, winner);
  if (known.settled) return known.settled;
  const user = row.player;
  if ((await tx.get(keys().doc(user))).data()?.state === "destroyed") {
    throw new Failure("failed-precondition", "The user has been erased.", { reason: "user-erased" });
  }
  const key = prizeKey(season, winner);
  const { board, period, season: name } = season;
  const changes = await prepareChanges(tx, user, [
    {
      key,
      kind: "prize",
      direction: "give",
      coins: reward.coins,
      items: reward.items,
      entitlements: reward,
      house: PRIZES,
      reference: `leaderboard:${board}`,
      metadata: { period, season: name, scope, rank },
    },
  ]);
  changes.write();
  const [{ transaction } = { transaction: "" }] = changes.done;
  const one: Award = { scope, rank, state: "given", reward, key, transaction };
  tx.set(known.reference, { ...known.result, awards: [...known.result.awards, one] });
  const data = { board, period, season: name, scope, rank, coins: reward.coins, items: reward.items };
  prepareNotice(tx, { user, key, kind: "prize", data });
  return "given";
}

async function putDown(
  tx: Transaction,
  { season, winner }: { season: SeasonRecord; winner: Winner },
  { reason }: Failure,
): Promise<Award["state"] | "struck"> {
  const known = await read(tx, season, winner);
  if (known.settled) return known.settled;
  // What was theirs is deleted, and is not to come back.
  if (reason === "user-erased" && !known.isKept) return "failed";
  const { scope, rank } = winner;
  const one: Award = { scope, rank, state: "failed", reason };
  tx.set(known.reference, { ...known.result, awards: [...known.result.awards, one] });
  return "failed";
}

/** A player's result, and what has become of a prize if it is settled. */
async function read(tx: Transaction, season: SeasonRecord, { row, scope }: Winner) {
  const reference = results(season.board, seasonId(season.period, season.season)).doc(row.player);
  const known = (await tx.get(reference)).data();
  const settled = known?.struckAt ? ("struck" as const) : known?.awards.find((one) => one.scope === scope)?.state;
  const { rank: _, ...unranked } = resultOf(season, row);
  const result: Result = known ?? unranked;
  return { reference, result, isKept: known !== undefined, settled };
}
