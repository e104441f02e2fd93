import * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import type { Page, PageRequest } from "./contract.ts";
import { seasonNamed, slotOf } from "./periods.ts";
import { orderOf, placeOf, rangeOf, readOrder } from "./place.ts";
import { following } from "./ranked.ts";
import { keptPage } from "./redis/read.ts";
import { type View, viewOf } from "./view.ts";

const MAX_RANK = 1_000_000_000;

/** Where a page ended. It names the season, so that turning pages over midnight stays in the season it began in. */
const Cursor = z.object({
  season: z.string().max(40),
  order: z.string().max(400),
  rank: z.int().positive().max(MAX_RANK),
});
type Cursor = z.output<typeof Cursor>;

/**
 * A page of a board, by rank. No reads where Redis has it, else one for each row. Refuses what {@link viewOf} does.
 * @param read what asks Firestore; {@link followingKept} where a page may be old
 */
export async function page(
  _caller: Caller,
  request: z.output<typeof PageRequest>,
  read: typeof following = following,
): Promise<Page> {
  const begun = await viewOf(request);
  const cursor = request.cursor === undefined ? undefined : readCursor(request.cursor);
  const view = cursor ? continued(begun, cursor) : begun;
  return (await pageKept(view, cursor)) ?? (await pageRead(view, cursor, read));
}

/** By the rank that the cursor's place has by now. */
async function pageKept(view: View, cursor: Cursor | undefined): Promise<Page | undefined> {
  const { board, scope } = view;
  const season = view.season.key;
  const after = cursor && readOrder(board, { season, scope, text: cursor.order });
  if (cursor && !after) return undefined;
  const found = await keptPage(view, after, board.pageSize);
  if (!found) return undefined;
  const { rows } = found;
  const last = rows.at(-1);
  if (!last || rows.length < board.pageSize) return { season, rows };
  const { score, subscore: sub, at, player, rank } = last;
  const order = orderOf({ season, scope, place: placeOf(board, { score, sub, at }), player });
  return { season, rows, nextCursor: writeCursor({ season, order, rank: rank + 1 }) };
}

async function pageRead(view: View, cursor: Cursor | undefined, read: typeof following): Promise<Page> {
  const { pageSize } = view.board;
  const rank = cursor?.rank ?? 1;
  const { rows, last } = await read(view, cursor?.order, { rank, limit: pageSize });
  const season = view.season.key;
  if (last === undefined || rows.length < pageSize) return { season, rows };
  return { season, rows, nextCursor: writeCursor({ season, order: last, rank: rank + rows.length }) };
}

/** The view that the page before was of: perhaps of a season that is over since. */
function continued(view: View, { season: key, order }: Cursor): View {
  const season = seasonNamed(view.period, key, { ...view.board, near: now() });
  if (!season || !order.startsWith(rangeOf({ season: key, scope: view.scope }).first)) throw notACursor();
  return { ...view, season, slot: slotOf(view.period, season) };
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

function readCursor(text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  } catch {
    throw notACursor();
  }
}

function notACursor(): Error {
  return invalidInput("cursor", "This is not a cursor that a page of this period has given.");
}
