import type * as z from "zod";
import { plain, writeDown } from "../platform/audit.ts";
import { forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Failure } from "../platform/failure.ts";
import { transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { cacheKey } from "./board.ts";
import type { DefineBoard } from "./contract.ts";
import { boards } from "./records.ts";
import { openNew } from "./redis/rebuild.ts";
import { closedBefore, MARGIN_MILLIS, nextCloseOf } from "./seasons/due.ts";
import type { Board, BoardSettings } from "./settings.ts";
import { prepareTournament } from "./tournaments/define.ts";

/**
 * A board as it is stored. Another cron begins to count anew: the season that is on by the one before is given up. What is still to be closed
 * is closed no sooner than the settings that were remembered are forgotten.
 * @param at when it is defined, in milliseconds since the epoch
 */
export function boardOfSettings(
  settings: z.output<typeof BoardSettings>,
  before: Board | undefined,
  at: number,
): Board {
  const isCounted = settings.cron !== undefined;
  const isCountedOn = before?.cron === settings.cron && before?.timeZone === settings.timeZone;
  const { custom, ...others } = before?.closedThrough ?? {};
  const dated = {
    ...settings,
    ...(isCounted ? { anchor: (isCountedOn ? before?.anchor : undefined) ?? at } : {}),
    closedThrough: isCountedOn && custom !== undefined ? { ...others, custom } : others,
  };
  const board: Board = { ...dated, closedThrough: closedBefore(dated, at) };
  const nextCloseAt = nextCloseOf(board);
  if (nextCloseAt === undefined) return board;
  return { ...board, nextCloseAt: before ? Math.max(nextCloseAt, at + MARGIN_MILLIS) : nextCloseAt };
}

/**
 * Makes a board, or changes what one accepts from now on; scores that it has stay. Another time zone, first day of the week or cron moves
 * the ends of the seasons that are on. A read and 2 writes; of a new board, where there is a Redis, another read; a read and a write more for
 * each part of the places of a tournament. Refuses `board-fixed`, `tournament-fixed`, `unknown-currency`.
 */
export async function defineBoard(
  caller: Caller,
  { id, board: settings }: z.output<typeof DefineBoard>,
): Promise<{ id: string }> {
  const at = now();
  const { board, isNew } = await transact(async (tx) => {
    const before = (await tx.get(boards().doc(id))).data();
    checkFixed(settings, before);
    const stock = await prepareTournament(tx, { id, settings, before, at });
    stock();
    const board = boardOfSettings(settings, before, at);
    tx.set(boards().doc(id), board);
    const key = `${id} ${fingerprint(settings)} ${at}`;
    const details = { after: plain(settings) };
    writeDown(tx, { key, by: caller.uid, action: "leaderboards/define", subject: `leaderboards/${id}`, details });
    return { board, isNew: before === undefined };
  });
  await forget(cacheKey(id));
  if (isNew) await openNew(id, board);
  return { id };
}

/** What scores are sorted by is written into every player's document. Refuses `board-fixed`. */
function checkFixed(settings: z.output<typeof BoardSettings>, before: Board | undefined): void {
  const changed =
    before && (["order", "subscore", "policy", "owner"] as const).find((name) => before[name] !== settings[name]);
  if (changed === undefined) return;
  throw new Failure("failed-precondition", "What a board ranks by stays as it was; define another.", {
    reason: "board-fixed",
    field: `board.${changed}`,
  });
}
