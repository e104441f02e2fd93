import * as z from "zod";
import { atHand, cached } from "../platform/cache.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Ready, ready } from "../platform/ready.ts";
import * as contract from "./contract.ts";
import { followingKept } from "./kept.ts";
import { noteBar } from "./live/bars.ts";
import { page } from "./page.ts";
import { nameOf } from "./place.ts";
import { type View, viewAtHand, viewOf } from "./view.ts";

/** A page is a second old at most, and two while it is read anew. */
const FRESH = { processSeconds: 1, staleSeconds: 1 };
const Shape = z.instanceof(Ready);

/**
 * A page of a board as it is sent, at most a second old: it is the same for everybody, so it is made once a second in each instance and
 * neither checked nor written out again for each who asks. No reads on a hit; else what {@link page} takes. Refuses what that refuses.
 */
export async function shownPage(caller: Caller, request: z.output<typeof contract.PageRequest>): Promise<Ready> {
  const view = await viewOf(request);
  const shown = await cached(keyOf(view, request), FRESH, Shape, async () => {
    const found = await page(caller, request, followingKept);
    if (request.cursor === undefined) noteBar(view, found.rows);
    return ready(contract.Page, found);
  });
  if (!shown) throw new Error("a page was made and is not there");
  return shown;
}

/** As {@link shownPage}, if this process has it; else undefined. No reads. */
export function shownPageAtHand(_caller: Caller, request: z.output<typeof contract.PageRequest>): Ready | undefined {
  const view = viewAtHand(request);
  return view && atHand(keyOf(view, request), Shape);
}

function keyOf({ season }: View, { board, period, scope, cursor = "" }: z.output<typeof contract.PageRequest>): string {
  return `boardPage:${board}:${period}:${season.key}:${nameOf(scope)}:${cursor}`;
}
