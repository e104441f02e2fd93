import type * as z from "zod";
import { now } from "../platform/clock.ts";
import type { Caller } from "../platform/endpoint.ts";
import { FieldPath } from "../platform/firestore.ts";
import type { BoardList, ListRequest } from "./contract.ts";
import { type Season, seasonShown } from "./periods.ts";
import { boards } from "./records.ts";
import type { Board } from "./settings.ts";

/** The boards by id, with the seasons that are on. A read for each. */
export async function list(_caller: Caller, { limit, cursor }: z.output<typeof ListRequest>): Promise<BoardList> {
  const all = boards().orderBy(FieldPath.documentId()).limit(limit);
  const { docs } = await (cursor === undefined ? all : all.startAfter(cursor)).get();
  const last = docs.at(-1);
  return {
    boards: docs.map((document) => shown(document.id, document.data())),
    ...(last && docs.length === limit ? { nextCursor: last.id } : {}),
  };
}

function shown(id: string, board: Board): BoardList["boards"][number] {
  const { title, timeZone, order, scopes } = board;
  const seasons = Object.fromEntries(
    board.periods.map((period) => [period, timesOf(seasonShown(period, now(), board))]),
  );
  return { id, title, timeZone, order, scopes, seasons };
}

function timesOf({ key, startsAt, endsAt }: Season): { season: string; startsAt?: number; endsAt?: number } {
  return Number.isFinite(endsAt) ? { season: key, startsAt, endsAt } : { season: key };
}
