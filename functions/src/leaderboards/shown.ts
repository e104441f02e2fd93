import * as z from "zod";
import { cached } from "../platform/cache.ts";
import type { Caller } from "../platform/endpoint.ts";
import { Ready, ready } from "../platform/ready.ts";
import * as contract from "./contract.ts";
import { followingKept } from "./kept.ts";
import { noteBar } from "./live/bars.ts";
import { page } from "./page.ts";
import { nameOf } from "./place.ts";
import { viewOf } from "./view.ts";

/** A page is a second old at most, and two while it is read anew. */
const FRESH = { processSeconds: 1, staleSeconds: 1 };
const Shape = z.instanceof(Ready);

/**
 * A page of a board as it is sent, at most a second old: it is the same for everybody, so it is made once a second in each instance and
 * neither checked nor written out again for each who asks. No reads on a hit; else what {@link page} takes. Refuses what that refuses.
 */
export async function shownPage(caller: Caller, request: z.output<typeof contract.PageRequest>): Promise<Ready> {
  const view = await viewOf(request);
  const { board, period, scope, cursor = "" } = request;
  const key = ["boardPage", board, period, view.season.key, nameOf(scope), cursor].join(":");
  const shown = await cached(key, FRESH, Shape, async () => {
    const found = await page(caller, request, followingKept);
    if (cursor === "") noteBar(view, found.rows);
    return ready(contract.Page, found);
  });
  if (!shown) throw new Error("a page was made and is not there");
  return shown;
}
