import * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { boardOf } from "./board.ts";
import type { Page, PageRequest } from "./contract.ts";
import { isSlotOf, type Period, seasonAt, slotOf } from "./periods.ts";
import { ranked, seasonRange } from "./rank.ts";
import type { SlotName } from "./records.ts";
import { rowOf, slotIn } from "./row.ts";

const PAGE_SIZE = 100;
const MAX_RANK = 1_000_000_000;

/** Where a page ended. It names the season, so that turning pages over midnight stays in the season it began in. */
const Cursor = z.object({
  season: z.string().max(20),
  slot: z.string().regex(/^[dwma][01]$/),
  order: z.string().max(200),
  rank: z.int().positive().max(MAX_RANK),
});

/** A page of 100 of a board, by rank. One read for each row. Refuses `unknown-board`. */
export async function page(_caller: Caller, request: z.output<typeof PageRequest>): Promise<Page> {
  const { board: boardId, period, cursor } = request;
  const { season, slot, order, rank } =
    cursor === undefined ? await start(boardId, period) : readCursor(cursor, period);
  const found = await ranked(boardId, slot as SlotName, { from: order, to: seasonRange(season).last })
    .orderBy(`${slot}.order`)
    .limit(PAGE_SIZE)
    .get();
  const rows = found.docs.map((document, i) => rowOf(document.id, document.data(), slot as SlotName, rank + i));
  const last = found.docs.at(-1);
  if (!last || rows.length < PAGE_SIZE) return { season, rows };
  const end = slotIn(last.data(), slot as SlotName).order;
  return { season, rows, nextCursor: writeCursor({ season, slot, order: end, rank: rank + rows.length }) };
}

async function start(boardId: string, period: Period): Promise<z.output<typeof Cursor>> {
  const { timeZone } = await boardOf(boardId);
  const season = seasonAt(period, now(), timeZone);
  return { season: season.key, slot: slotOf(period, season), order: seasonRange(season.key).first, rank: 1 };
}

function writeCursor(cursor: z.output<typeof Cursor>): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

function readCursor(text: string, period: Period): z.output<typeof Cursor> {
  try {
    const cursor = Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
    if (isSlotOf(period, cursor.slot) && cursor.order.startsWith(seasonRange(cursor.season).first)) return cursor;
  } catch {
    // It is refused below, whatever is wrong with it.
  }
  throw invalidInput("cursor", "This is not a cursor that a page of this period has given.");
}
