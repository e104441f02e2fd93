import { forget } from "../../platform/cache.ts";
import { now } from "../../platform/clock.ts";
import { isChangedMeanwhile, transact } from "../../platform/firestore.ts";
import { boardOf, cacheKey } from "../board.ts";
import { localDay } from "../calendar.ts";
import { aged } from "../enter.ts";
import { isoDay } from "../periods.ts";
import { boards, players } from "../records.ts";
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
    await Promise.all(
      docs.map(async (document) => {
        const fields = aged(board, document.data(), { player: document.id, now: now() });
        await document.ref.update(fields, { lastUpdateTime: document.updateTime }).catch((error: unknown) => {
          if (!isChangedMeanwhile(error)) throw error;
        });
      }),
    );
    last = docs.at(-1)?.id ?? last;
  }
  return `${today} ${last}`;
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
