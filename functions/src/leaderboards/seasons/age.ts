import { forget } from "../../platform/cache.ts";
import { now } from "../../platform/clock.ts";
import { FieldValue, isChangedMeanwhile, type QueryDocumentSnapshot, transact } from "../../platform/firestore.ts";
import { boardOf, cacheKey } from "../board.ts";
import { localDay } from "../calendar.ts";
import { aged } from "../enter.ts";
import { isoDay } from "../periods.ts";
import { boards, type Player, players } from "../records.ts";
import type { Change } from "../redis/changes.ts";
import { announce, follow } from "../redis/follow.ts";
import type { Board } from "../settings.ts";
import { afterClosing } from "./close.ts";
import { nextToAge } from "./due.ts";

const PAGE = 100;
/** Pages of one task. */
const MAX_PAGES = 25;

/**
 * Looks at the players of a board whose oldest day counts no more since another has begun, and ranks them by those that are left. Who plays
 * meanwhile does it by that. A read and a write for each, besides a read for each 100, and 2 reads and a write in the end. Answers with how
 * far it has come if there is more to do.
 */
export async function agePlayers(id: string): Promise<string | undefined> {
  const board = await boardOf(id);
  const due = nextToAge(board);
  if (due === undefined || due > now()) return undefined;
  const today = localDay(board.timeZone, now());
  const oldest = isoDay(today - (board.rollingDays ?? 1) + 1);
  let last = "";
  for (let n = 0; n < MAX_PAGES; n++) {
    const { docs } = await players(id).where("agesOn", "<", oldest).orderBy("agesOn").limit(PAGE).get();
    if (docs.length === 0) {
      await endDay(id, today);
      return undefined;
    }
    const announced = announce(
      id,
      docs.map((document) => document.id),
    );
    const changes = await Promise.all(docs.map((document) => agePlayer(board, document)));
    await follow(id, board, changes.flat(), announced);
    last = docs.at(-1)?.id ?? last;
  }
  return `${today} ${last}`;
}

/** What Redis is to follow; nothing if the player has played meanwhile, and was looked at by that. */
async function agePlayer(board: Board, document: QueryDocumentSnapshot<Player>): Promise<Change[]> {
  const before = document.data();
  const fields = aged(board, before, { player: document.id, now: now() });
  try {
    const { writeTime } = await document.ref.update(fields, { lastUpdateTime: document.updateTime });
    const kept = Object.entries({ ...before, ...fields }).filter(([, value]) => !(value instanceof FieldValue));
    return [{ player: document.id, before, after: Object.fromEntries(kept) as Player, version: writeTime }];
  } catch (error) {
    if (!isChangedMeanwhile(error)) throw error;
    return [];
  }
}

async function endDay(id: string, today: number): Promise<void> {
  await transact(async (tx) => {
    const board = (await tx.get(boards().doc(id))).data();
    if (board && (board.closedThrough?.rolling ?? today) < today) {
      tx.update(boards().doc(id), afterClosing(board, "rolling", today));
    }
  });
  await forget(cacheKey(id));
}
