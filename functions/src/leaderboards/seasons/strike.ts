import { forget } from "../../platform/cache.ts";
import type { Transaction } from "../../platform/firestore.ts";
import { timestamp } from "../../platform/firestore.ts";
import { type Change, prepareChanges } from "../../rewards/index.ts";
import { PRIZES } from "../house.ts";
import { type Player, SLOT_NAMES } from "../records.ts";
import { pageKey } from "./history.ts";
import { resultOf } from "./keep.ts";
import {
  type Award,
  type KeptPage,
  MAX_STRUCK,
  pages,
  type Result,
  results,
  type SeasonRecord,
  seasons,
} from "./records.ts";

/** Seasons of a board that can be about to be closed at once: one of each period, and one more. */
const MAX_CLOSING = 10;

/** Whom to strike out of which seasons. */
interface Striking {
  readonly board: string;
  readonly user: string;
  readonly player: Player | undefined;
  /** By id, as `daily-2026-11-20`. */
  readonly seasons: readonly string[];
}

/** A page as it is remembered. */
interface PageName {
  readonly season: string;
  readonly n: number;
}

interface Strike {
  /** Those that the player was struck out of. */
  readonly seasons: string[];
  /** The ledger's, that took prizes back. */
  readonly transactions: string[];
  readonly pages: PageName[];
  write(): void;
}

/** Strikes a player out of seasons, as part of a Firestore transaction: out of those that are named and those that are being closed. */
export async function prepareStrike(tx: Transaction, striking: Striking): Promise<Strike> {
  const { board, user } = striking;
  const closing = await tx.get(seasons(board).where("state", "==", "closing").limit(MAX_CLOSING));
  const open = new Map(closing.docs.map((document) => [document.id, document.data()]));
  const found: Found[] = [];
  for (const id of new Set([...striking.seasons, ...open.keys()])) {
    found.push(await find(tx, striking, { id, closing: open.get(id) }));
  }
  const struck = found.filter(({ result }) => result && !result.struckAt);
  const given = struck.flatMap(({ id, result }) =>
    (result?.awards ?? []).filter(isGiven).map((award) => ({ id, award })),
  );
  const changes = await prepareChanges(
    tx,
    user,
    given.map(({ id, award }) => takingBack(board, { id, award, user })),
  );
  return {
    seasons: struck.map(({ id }) => id),
    transactions: changes.done.map(({ transaction }) => transaction),
    pages: struck.flatMap(({ id, n }) => (n === undefined ? [] : [{ season: id, n }])),
    write: () => {
      if (given.length > 0) changes.write();
      for (const one of struck) writeStruck(tx, striking, one);
    },
  };
}

/** Forgets pages that somebody was struck out of. */
export async function forgetPages(board: string, changed: readonly PageName[]): Promise<void> {
  for (const { season, n } of changed) await forget(pageKey(board, season, n));
}

interface Found {
  readonly id: string;
  readonly closing: SeasonRecord | undefined;
  readonly result: Result | undefined;
  readonly page: KeptPage | undefined;
  readonly n: number | undefined;
}

/** What there is of a player in a season. In one that is being closed there may be nothing yet, and is to be nothing. */
async function find(
  tx: Transaction,
  { board, user, player }: Striking,
  { id, closing }: Pick<Found, "id" | "closing">,
): Promise<Found> {
  const known = (await tx.get(results(board, id).doc(user))).data();
  const result = known ?? (closing && player ? expected(closing, user, player) : undefined);
  const n = known?.page;
  const page = n === undefined ? undefined : (await tx.get(pages(board, id).doc(String(n)))).data();
  return { id, closing, result, page, n };
}

function expected(season: SeasonRecord, user: string, player: Player): Result | undefined {
  const slot = SLOT_NAMES.map((name) => player[name]).find((one) => one?.season === season.season);
  if (!slot) return undefined;
  const { rank: _, ...result } = resultOf(season, {
    player: user,
    rank: 1,
    name: player.name,
    score: slot.score,
    at: slot.at.toMillis(),
  });
  return result;
}

function isGiven({ state }: Award): boolean {
  return state === "given";
}

function takingBack(board: string, { id, award, user }: { id: string; award: Award; user: string }): Change {
  const { scope, transaction = "", key = "", reward } = award;
  return {
    key: JSON.stringify(["prize back", board, id, scope, user]),
    kind: "adjustment",
    direction: "takeBack",
    coins: reward?.coins ?? {},
    items: reward?.items ?? {},
    entitlements: { entitlements: reward?.entitlements ?? [] },
    house: PRIZES,
    gave: { key, items: reward?.items ?? {} },
    reference: `leaderboard:${board}`,
    metadata: { season: id, scope },
    reverses: transaction,
  };
}

function writeStruck(tx: Transaction, { board, user }: Striking, { id, closing, result, page, n }: Found): void {
  if (!result) return;
  const awards = result.awards.map((award) => (isGiven(award) ? { ...award, state: "taken-back" as const } : award));
  tx.set(results(board, id).doc(user), { ...result, awards, struckAt: timestamp() });
  if (page && n !== undefined) {
    tx.set(pages(board, id).doc(String(n)), { ...page, rows: page.rows.filter(({ player }) => player !== user) });
  }
  if (closing && closing.struck.length < MAX_STRUCK) {
    tx.update(seasons(board).doc(id), { struck: [...closing.struck, user] });
  }
}
