import type * as z from "zod";
import { type NewTransaction, prepareAll } from "../../ledger/index.ts";
import { now } from "../../platform/clock.ts";
import type { Caller } from "../../platform/endpoint.ts";
import { Failure } from "../../platform/failure.ts";
import { isAlreadyExists, timestamp, transact } from "../../platform/firestore.ts";
import { type Take, taking } from "../../platform/stock.ts";
import { NO_ATTEMPTS } from "../attempts.ts";
import { boardOf } from "../board.ts";
import { checkNotBanned, NOBODY } from "../enter.ts";
import { facesOf } from "../face.ts";
import { PRIZES } from "../house.ts";
import { type Entry, type Player, players } from "../records.ts";
import type { Tournament } from "../settings.ts";
import type { Joined, JoinRequest } from "./contract.ts";
import { isIn } from "./entered.ts";
import { placesOf } from "./places.ts";

interface Joining {
  readonly id: string;
  readonly caller: Caller;
  readonly tournament: Tournament;
}

/**
 * Has the caller join a tournament, once: the fee is paid with what notes it on the player's document, where `submit` finds it. A read for the
 * player, the account and a part of the places; a write for these and the transaction. Joined before: a read.
 * Refuses `unknown-board`, `entry-closed`, `user-banned`, `sold-out`, `insufficient-funds`, `busy`.
 */
export async function join(caller: Caller, { board: id }: z.output<typeof JoinRequest>): Promise<Joined> {
  const { tournament } = await boardOf(id);
  if (!tournament) throw noTournament();
  const joining = { id, caller, tournament };
  const { capacity } = tournament;
  const pile = capacity && { path: placesOf(id), total: capacity, count: 1, seed: `${id} ${caller.uid}` };
  const attempt = () => taking(pile || undefined, (take) => joinOnce(joining, take));
  try {
    return await attempt();
  } catch (error) {
    // Our own commit may have landed without our hearing of it: then the player's document says so.
    if (!isAlreadyExists(error)) throw error;
    return await attempt();
  }
}

function joinOnce({ id, caller, tournament }: Joining, take: Take): Promise<Joined> {
  const { fee } = tournament;
  return transact(async (tx) => {
    const reference = players(id).doc(caller.uid);
    const known = (await tx.get(reference)).data();
    const currency = fee ? { currency: fee.currency } : {};
    if (isIn(known)) return { paid: known?.entry?.paid ?? 0, ...currency, repeated: true };
    checkOpen(tournament);
    const face = known ?? (await facesOf([caller])).get(caller.uid) ?? NOBODY;
    checkNotBanned(face);
    const times = (known?.entry?.times ?? 0) + 1;
    const place = await take(tx);
    const paying = await prepareAll(tx, fee ? [feeOf(id, caller.uid, { times, fee })] : []);
    const [transaction] = paying.entries;
    const paid = fee?.amount ?? 0;
    const entry: Entry = {
      times,
      paid,
      at: timestamp(),
      ...(transaction ? { transaction: transaction.id } : {}),
      picked: { ...place.picked },
    };
    const player: Player = { player: caller.uid, attempts: NO_ATTEMPTS, ...face, entry };
    place.write();
    paying.write();
    tx.set(reference, player);
    return { paid, ...currency, repeated: false };
  });
}

function checkOpen({ opensAt, closesAt }: Tournament): void {
  if (now() >= opensAt && now() < closesAt) return;
  throw new Failure("failed-precondition", "The tournament cannot be joined now.", {
    reason: "entry-closed",
    opensAt,
    closesAt,
  });
}

function feeOf(
  board: string,
  user: string,
  { times, fee }: { times: number; fee: NonNullable<Tournament["fee"]> },
): NewTransaction {
  return {
    key: JSON.stringify(["tournament", board, user, times]),
    kind: "spend",
    postings: [{ from: user, to: PRIZES, ...fee }],
    reference: `leaderboard:${board}`,
  };
}

export function noTournament(): Failure {
  return new Failure("not-found", "There is no such tournament.", { reason: "unknown-board" });
}
