import type * as z from "zod";
import { plain, writeDown } from "../platform/audit.ts";
import { forget } from "../platform/cache.ts";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { transact } from "../platform/firestore.ts";
import { fingerprint } from "../platform/ids.ts";
import { cacheKey } from "./board.ts";
import type { DefineBoard } from "./contract.ts";
import { type Board, boards } from "./records.ts";

/**
 * Makes a board, or changes what one accepts from now on; scores that it has stay. Another time zone, first day of the week or cron moves
 * the ends of the seasons that are on. A read and 2 writes.
 */
export async function defineBoard(
  caller: Caller,
  { id, board: settings }: z.output<typeof DefineBoard>,
): Promise<{ id: string }> {
  const at = now();
  await transact(async (tx) => {
    const before = (await tx.get(boards().doc(id))).data();
    const board: Board = {
      ...settings,
      ...(settings.cron === undefined ? {} : { anchor: anchorOf(settings, before, at) }),
      ...(before?.closedThrough ? { closedThrough: before.closedThrough } : {}),
    };
    tx.set(boards().doc(id), board);
    const key = `${id} ${fingerprint(settings)} ${at}`;
    const details = { after: plain(settings) };
    writeDown(tx, { key, by: caller.uid, action: "leaderboards/define", subject: `leaderboards/${id}`, details });
  });
  await forget(cacheKey(id));
  return { id };
}

/** From when the seasons of a cron are counted: as before, as long as it is the same. */
function anchorOf({ cron, timeZone }: Pick<Board, "cron" | "timeZone">, before: Board | undefined, at: number): number {
  const isSame = before?.cron === cron && before?.timeZone === timeZone;
  return isSame && before?.anchor !== undefined ? before.anchor : at;
}
