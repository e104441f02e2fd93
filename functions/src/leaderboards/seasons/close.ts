import { randomUUID } from "node:crypto";
import { forget } from "../../platform/cache.ts";
import { now } from "../../platform/clock.ts";
import { FieldValue, isAlreadyExists, timestamp } from "../../platform/firestore.ts";
import { emit } from "../../platform/outbox.ts";
import { cacheKey } from "../board.ts";
import { promoteSome } from "../leagues/promote.ts";
import { type Ending, slotOf } from "../periods.ts";
import { GLOBAL } from "../place.ts";
import { countIn } from "../ranked.ts";
import { boards } from "../records.ts";
import type { Board } from "../settings.ts";
import { giveSomeBack, poolOf } from "../tournaments/pool.ts";
import { nextCloseOf, nextToClose } from "./due.ts";
import { keepPage } from "./keep.ts";
import { payPage } from "./pay.ts";
import { payScope } from "./pay-scope.ts";
import { type SeasonRecord, type Stage, seasonId, seasons } from "./records.ts";
import { advance, type Closing } from "./step.ts";

/** The event of a season that was closed: `board`, `period`, `season`, `number` and how many `players` were ranked. */
const SEASON_CLOSED = "season.closed";

/** Steps of one task; each is a hundred players at most. */
const MAX_STEPS = 25;

/**
 * Closes the season of a period that is next to be closed, and those after it that are due: its pages are kept, its prizes given, its slots
 * free to be used again, and `season.closed` told. Each step is written with how many were taken before, so that whoever is killed, or
 * overtaken by another, has done each of them once. Answers with how far it has come if there is more to do, for the next task.
 *
 * Bill of a season: a read for each 1,000 players; for each that is kept a read and a write, and for each 100 of them 2 reads and 2 writes;
 * for each prize what {@link award} costs; and 5 reads and 3 writes.
 */
export async function closeSeasons(board: string, period: Ending, maxSteps = MAX_STEPS): Promise<string | undefined> {
  const run = randomUUID();
  let closing = await begin(board, period, run);
  for (let taken = 0; closing; taken++) {
    if (taken === maxSteps) return `${closing.record.number} ${closing.record.steps}`;
    const record = await takeStep(closing);
    if (!record) return undefined;
    closing = record.state === "closed" ? await begin(board, period, run) : { ...closing, record };
  }
  return undefined;
}

/** The season that is to be closed, as far as it is; undefined if there is none yet. */
async function begin(id: string, period: Ending, run: string): Promise<Closing | undefined> {
  const board = (await boards().doc(id).get()).data();
  const next = board && nextToClose(board, period);
  if (!next || next.dueAt > now()) return undefined;
  const { season } = next;
  const view = { id, board, period, season, slot: slotOf(period, season), scope: GLOBAL };
  const reference = seasons(id).doc(seasonId(period, season.key));
  const known = (await reference.get()).data();
  if (known) return { view, record: known, run };
  const record = await opened(view);
  try {
    await reference.create(record);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return { view, record, run };
}

async function opened(view: Closing["view"]): Promise<SeasonRecord> {
  const { id, board, period, season } = view;
  const pool = await poolOf(id, board);
  return {
    board: id,
    period,
    season: season.key,
    number: season.number,
    startsAt: timestamp(season.startsAt),
    endsAt: timestamp(season.endsAt),
    state: "closing",
    stage: "pages",
    steps: 0,
    pages: 0,
    looked: 0,
    players: await countIn(view),
    kept: 0,
    keep: board.keep,
    prizes: board.prizes.filter((prize) => prize.period === period),
    ...(pool ? { pool } : {}),
    ...(board.league?.period === period ? { league: board.league } : {}),
    given: 0,
    failed: 0,
    struck: [],
    updatedAt: timestamp(),
  };
}

const STEPS: Readonly<Record<Stage, (closing: Closing) => Promise<SeasonRecord | undefined>>> = {
  pages: keepPage,
  refunds: refundSome,
  prizes: payPage,
  country: (closing) => payScope(closing, "country"),
  group: (closing) => payScope(closing, "group"),
  league: promoteSome,
  finish,
};

/** The season after its next step; undefined if somebody else has taken it, and goes on. */
async function takeStep(closing: Closing): Promise<SeasonRecord | undefined> {
  return await STEPS[closing.record.stage](closing);
}

/** Nobody has played, so whoever has joined has their fee again. */
async function refundSome(closing: Closing): Promise<SeasonRecord | undefined> {
  const hasMore = await giveSomeBack(closing.view.id);
  return await advance(closing, async () => () => (hasMore ? {} : { stage: "finish" }));
}

/** The last step: from here on the season's slots are used again. */
async function finish(closing: Closing): Promise<SeasonRecord | undefined> {
  const { id, period } = closing.view;
  const after = await advance(closing, async (tx, record) => {
    const reference = boards().doc(id);
    const board = (await tx.get(reference)).data();
    return () => {
      if (board) tx.update(reference, afterClosing(board, period, record.number));
      const { season, number, players } = record;
      const key = `${id} ${seasonId(period, season)}`;
      emit(tx, { type: SEASON_CLOSED, key, data: { board: id, period, season, number, players } });
      return { state: "closed", closedAt: timestamp(), struck: [] };
    };
  });
  await forget(cacheKey(id));
  return after;
}

/** What of a board changes when a season of it is closed, or the players of a day have aged. */
export function afterClosing(board: Board, period: Ending | "rolling", number: number) {
  const closedThrough = { ...board.closedThrough, [period]: number };
  return { closedThrough, nextCloseAt: nextCloseOf({ ...board, closedThrough }) ?? FieldValue.delete() };
}
