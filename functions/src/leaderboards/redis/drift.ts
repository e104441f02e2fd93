import { randomBytes } from "node:crypto";
import { now } from "../../platform/clock.ts";
import { FieldPath, firestore, Timestamp } from "../../platform/firestore.ts";
import { log } from "../../platform/log.ts";
import { runScript, withRedis } from "../../platform/redis.ts";
import { seasonAt, slotOf } from "../periods.ts";
import { GLOBAL } from "../place.ts";
import { countIn } from "../ranked.ts";
import { type Player, players } from "../records.ts";
import type { Board } from "../settings.ts";
import type { View } from "../view.ts";
import { type Change, entryIn, goneAt } from "./changes.ts";
import { versionIn, withoutVersion } from "./packing.ts";
import { ABSENT, SAMPLE, UPDATE } from "./scripts.ts";
import { askForRebuild, scriptKeys } from "./seasons.ts";

/** Players compared: as many out of Firestore as out of Redis. */
const SAMPLED = 20;
/** So many wrong ones among them mean that more is wrong than they. */
const MANY_WRONG = 4;
/** Players counted in Firestore, to compare how many there are. */
const MAX_COUNTED = 10_000;
/** What counts may differ by, since both change while they are made. */
const COUNTS_DIFFER = 0.01;
const COUNTS_DIFFER_LEAST = 20;

export interface Drift {
  readonly compared: number;
  readonly repaired: number;
  readonly rebuilt: number;
}

/**
 * Compares what Redis has of a board's seasons that are on with Firestore: how many there are, and some players at random, of those that
 * Firestore has as of those that Redis has. What differs is repaired, and where much does, everything is built anew. Bill: at most 20 reads, and
 * 20 to 30 for each season.
 */
export async function compareBoard(id: string, board: Board): Promise<Drift> {
  const sample = await sampleOf(id);
  const drift = { compared: 0, repaired: 0, rebuilt: 0 };
  for (const period of board.periods) {
    const season = seasonAt(period, now(), board);
    const view: View = { id, board, period, season, slot: slotOf(period, season), scope: GLOBAL };
    const found = await compareSeason(view, sample);
    if (!found) continue;
    drift.compared += found.compared;
    drift.repaired += found.wrong;
    if (found.isMuch) drift.rebuilt++;
  }
  if (drift.rebuilt > 0) await askForRebuild(id, { again: true });
  if (drift.repaired + drift.rebuilt > 0)
    log.warn("Redis and Firestore differed over a leaderboard", { board: id, ...drift });
  return drift;
}

interface Compared {
  readonly compared: number;
  readonly wrong: number;
  readonly isMuch: boolean;
}

async function compareSeason(view: View, sample: readonly Change[]): Promise<Compared | undefined> {
  const { id, board, period, season } = view;
  const keys = scriptKeys(id, board, { period, season: season.key });
  const reply = await withRedis((client) =>
    runScript(client, SAMPLE, keys, [SAMPLED, ...sample.map((one) => one.player)]),
  );
  if (!Array.isArray(reply) || reply[0] === ABSENT || reply.length < 1 || Number(reply[0]) < 0) return undefined;
  const kept = new Map<string, string>();
  for (let i = 1; i < reply.length; i += 2) kept.set(String(reply[i]), String(reply[i + 1]));
  const known = new Map(sample.map((one) => [one.player, one]));
  const changes = [
    ...sample,
    ...(await lookedUp(
      id,
      [...kept.keys()].filter((player) => !known.has(player)),
    )),
  ];
  const wrong = changes.filter((change) => isWrong(view, change, kept.get(change.player) ?? ""));
  const args = wrong.flatMap((change) => [change.player, truthOf(view, change) ?? goneAt(change)]);
  if (wrong.length > 0) await withRedis((client) => runScript(client, UPDATE, keys, ["", "force", now(), ...args]));
  const isMuch = wrong.length >= MANY_WRONG || (await isCountOff(view, Number(reply[0])));
  return { compared: changes.length, wrong: wrong.length, isMuch };
}

/** Whether what Redis has of a player is not what Firestore has; what is newer in Redis was written since. */
function isWrong(view: View, change: Change, kept: string): boolean {
  const truth = truthOf(view, change);
  if (kept === "") return truth !== undefined;
  const right = truth ?? goneAt(change);
  return withoutVersion(kept) !== withoutVersion(right) && versionIn(kept) <= versionIn(right);
}

function truthOf({ board, period, season }: View, change: Change): string | undefined {
  return entryIn(board, { period, season: season.key }, change);
}

/** Players from anywhere in the collection. */
async function sampleOf(id: string): Promise<Change[]> {
  const from = randomBytes(12).toString("base64url");
  const query = players(id).orderBy(FieldPath.documentId());
  const { docs } = await query.startAt(from).limit(SAMPLED).get();
  const some = docs.length > 0 ? docs : (await query.limit(SAMPLED).get()).docs;
  return some.map((document) => ({
    player: document.id,
    before: "unknown",
    after: document.data(),
    version: document.updateTime,
  }));
}

async function lookedUp(id: string, names: readonly string[]): Promise<Change[]> {
  if (names.length === 0) return [];
  const found = await firestore().getAll(...names.map((name) => players(id).doc(name)));
  return found.map((snapshot) => ({
    player: snapshot.id,
    before: "unknown",
    after: snapshot.data() as Player | undefined,
    version: snapshot.updateTime ?? snapshot.readTime ?? Timestamp.fromMillis(now()),
  }));
}

async function isCountOff(view: View, kept: number): Promise<boolean> {
  const counted = await countIn(view, {}, MAX_COUNTED);
  const expected = Math.min(kept, MAX_COUNTED);
  return Math.abs(counted - expected) > Math.max(COUNTS_DIFFER_LEAST, COUNTS_DIFFER * expected);
}
