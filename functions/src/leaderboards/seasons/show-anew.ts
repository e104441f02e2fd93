import { isDeepStrictEqual } from "node:util";
import { currentProfileOf, type Profile } from "../../identity/index.ts";
import { type Transaction, transact } from "../../platform/firestore.ts";
import type { Row } from "../contract.ts";
import { faceIn } from "../face.ts";
import { rowOf } from "../row.ts";
import { pages, type Result, results } from "./records.ts";
import { forgetPages } from "./strike.ts";

/** How a player has ended a season: what is kept of it follows what becomes of the player. */
export interface ResultName {
  readonly board: string;
  /** As `daily-2026-11-20`. */
  readonly season: string;
  readonly player: string;
}

/**
 * Has a page that is kept show a player as their profile is now: by another name, not while they are banned, whether everybody sees that or
 * not, and again when they are not any more. Their rank, and the country that they were ranked under, stay. What changes a page or a profile
 * at the same time is waited for. Again: nothing. Bill: 4 reads, and a write if the row changes.
 */
export async function showAnew(name: ResultName): Promise<void> {
  await changePage(name, async (tx, result, rows) => {
    const profile = await currentProfileOf(name.player, tx);
    // Without one a player is shown as the sign-in provider has said; who is erased is not shown anew.
    if (!profile || result.struckAt) return rows;
    const others = rows.filter(({ player }) => player !== name.player);
    return [...others, ...shownAs(result, profile)].sort((one, other) => one.rank - other.rank);
  });
}

/**
 * Leaves of a player who was erased a row that names nobody: a rank, a score and when it was reached. Then deletes the result, last, so that
 * whoever is cut off before finds it again. What prizes were given is in the ledger. Bill: 2 reads, a write and a delete.
 */
export async function eraseResult(name: ResultName): Promise<void> {
  await changePage(name, async (_tx, _result, rows) =>
    rows.map((row) => (row.player === name.player ? nobodys(row) : row)),
  );
  await results(name.board, name.season).doc(name.player).delete();
}

/** Changes the rows of the page that a result is on, and has the page forgotten where it is remembered. */
async function changePage(
  { board, season, player }: ResultName,
  judge: (tx: Transaction, result: Result, rows: readonly Row[]) => Promise<Row[] | readonly Row[]>,
): Promise<void> {
  const n = await transact(async (tx) => {
    const result = (await tx.get(results(board, season).doc(player))).data();
    if (result?.page === undefined) return undefined;
    const reference = pages(board, season).doc(String(result.page));
    const page = (await tx.get(reference)).data();
    if (!page) return undefined;
    const rows = [...(await judge(tx, result, page.rows))];
    if (!isDeepStrictEqual(rows, page.rows)) tx.set(reference, { ...page, rows });
    return result.page;
  });
  // Also what has not changed: whoever changed it may have been cut off before this.
  if (n !== undefined) await forgetPages(board, [{ season, n }]);
}

function shownAs(result: Result, profile: Profile): Row[] {
  if (result.rank === undefined || profile.state !== "active") return [];
  return [rowOf(result.player, faceIn(profile), result, result.rank)];
}

function nobodys({ rank, score, subscore, at }: Row): Row {
  return { rank, player: "", name: "", score, ...(subscore === undefined ? {} : { subscore }), at };
}
