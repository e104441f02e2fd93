import type * as z from "zod";
import type { Caller } from "../platform/endpoint.ts";
import { invalidInput } from "../platform/failure.ts";
import { FieldPath, type Query } from "../platform/firestore.ts";
import { isDocumentId } from "../platform/ids.ts";
import type { List, ListRequest, Result, Results, ResultsRequest } from "./contract.ts";
import { type Session, sessions } from "./records.ts";

interface Found {
  readonly id: string;
  readonly session: Session;
}

/** A page of the caller's finished sessions of a game, the highest score first. One read for each. */
export async function results({ uid }: Caller, request: z.output<typeof ResultsRequest>): Promise<Results> {
  const { found, ...rest } = await pageOf(sessions().where("user", "==", uid), request);
  return { results: found.map(({ id, session }) => resultOf(id, session)), ...rest };
}

/** A page of everybody's. One read for each. */
export async function list(_caller: Caller, request: z.output<typeof ListRequest>): Promise<List> {
  const { found, ...rest } = await pageOf(sessions(), request);
  return { results: found.map(({ id, session }) => ({ ...resultOf(id, session), user: session.user })), ...rest };
}

/** A session that is finished, as callers see it. */
export function resultOf(id: string, { game, board, score, startedAt, finishedAt }: Session): Result {
  if (score === undefined || finishedAt === undefined) throw new TypeError(`games/${id} is not finished`);
  return {
    session: id,
    game,
    ...(board === undefined ? {} : { board }),
    score,
    startedAt: startedAt.toMillis(),
    finishedAt: finishedAt.toMillis(),
  };
}

/** Only what is finished has a score, and is found by its order. */
async function pageOf(
  whose: Query<Session>,
  { game, limit, cursor }: z.output<typeof ListRequest>,
): Promise<{ found: Found[]; nextCursor?: string }> {
  let query = whose.where("game", "==", game).orderBy("score", "desc").orderBy(FieldPath.documentId(), "desc");
  if (cursor !== undefined) query = query.startAfter(...readCursor(cursor));
  const { docs } = await query.limit(limit).get();
  const found = docs.map((document) => ({ id: document.id, session: document.data() }));
  const last = found.at(-1);
  return { found, ...(last && docs.length === limit ? { nextCursor: `${last.session.score}.${last.id}` } : {}) };
}

function readCursor(cursor: string): [number, string] {
  const [, score, id = ""] = /^(-?\d{1,16})\.([\w-]{1,100})$/.exec(cursor) ?? [];
  if (!isDocumentId(id)) throw invalidInput("cursor", "This is not a cursor that a page has given.");
  return [Number(score), id];
}
